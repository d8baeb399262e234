#include "ptx/parser.h"

#include "ptx/body.h"
#include "ptx/declarations.h"
#include "ptx/feature.h"
#include "ptx/token_stream.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace cnn::emu::ptx {
namespace {

class ModuleParser {
 public:
  ModuleParser(std::string_view text, Tree& tree) : tokens_(text), tree_(tree) {}

  void parse() {
    version();
    target();
    const std::string problem = checkArchitecture(architecture());
    if (!problem.empty()) throw SyntaxError{tree_.targetLine, problem};
    while (!tokens_.atEnd()) {
      if (tokens_.accept(';')) continue;
      item();
    }
  }

 private:
  Architecture architecture() const { return {tree_.version, tree_.target, tree_.architectureSpecific}; }

  void version() {
    if (!tokens_.acceptDot("version")) tokens_.fail("a module must begin with .version");
    const std::string_view text = tokens_.advance().text;
    const std::size_t dot = text.find('.');
    int major = 0, minor = 0;
    if (dot != std::string_view::npos) {
      std::from_chars(text.data(), text.data() + dot, major);
      std::from_chars(text.data() + dot + 1, text.data() + text.size(), minor);
    }
    if (major <= 0 || major > 99 || minor < 0 || minor > 9) tokens_.fail("malformed .version");
    tree_.version = major * 10 + minor;
  }

  void target() {
    tree_.targetLine = tokens_.line();
    if (!tokens_.acceptDot("target")) tokens_.fail("expected .target after .version");
    do {
      std::string_view word = tokens_.expectWord("an architecture");
      if (word.substr(0, 3) != "sm_") {
        if (word != "debug" && word != "texmode_independent" && word != "texmode_unified")
          tokens_.fail("unknown target " + std::string(word));
        continue;
      }
      word.remove_prefix(3);
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), tree_.target);
      const std::string_view suffix{end, std::size_t(word.data() + word.size() - end)};
      tree_.architectureSpecific = suffix == "a";
      if (error != std::errc{} || (!suffix.empty() && suffix != "a")) tokens_.fail("unknown target sm_" + std::string(word));
    } while (tokens_.accept(','));
    if (tree_.target == 0) tokens_.fail(".target names no architecture");
    if (tokens_.acceptDot("address_size")) tree_.addressSize = int(tokens_.expectCount(64));
    if (tree_.addressSize != 64) tokens_.fail("only .address_size 64 is supported");
  }

  void item() {
    bool isExtern = false, isVisible = false;
    for (;;) {
      if (tokens_.acceptDot("extern")) isExtern = true;
      else if (tokens_.acceptDot("visible") || tokens_.acceptDot("weak") || tokens_.acceptDot("common")) isVisible = true;
      else break;
    }
    const std::string_view word = tokens_.expectDot("a directive");
    if (word == "entry" || word == "func") return function(word == "entry", isExtern, isVisible);
    if (word == "file") return file();
    if (word == "section") return section();
    if (word == "pragma" || word == "alias") return tokens_.skipPast(';');
    const auto space = spaceNamed(word);
    if (!space || *space == Space::reg || *space == Space::param || *space == Space::local)
      tokens_.fail("directive ." + std::string(word) + " does not belong at module scope");
    for (Variable& variable : parseVariables(tokens_, *space)) {
      if (isExtern && *space == Space::shared && variable.size != 0)
        throw SyntaxError{variable.line, "the dynamic shared memory " + std::string(variable.name) + " is declared with a size"};
      if (!isExtern) define(variable.name, variable.line);
      variable.isExtern = isExtern;
      variable.isVisible = isVisible;
      tree_.variables.push_back(std::move(variable));
    }
    tokens_.expect(';');
  }

  // .file 1 "path" [, time, size]
  void file() {
    const std::size_t number = tokens_.expectCount(1 << 16);
    if (tokens_.peek().kind != Token::Kind::string) tokens_.fail("expected a file name");
    if (tree_.files.size() <= number) tree_.files.resize(number + 1);
    tree_.files[number] = tokens_.advance().text;
    while (tokens_.accept(',')) tokens_.expectNumber();
  }

  // Debug information: data only, without meaning for execution.
  void section() {
    tokens_.expectDot("a section name");
    tokens_.expect('{');
    tokens_.skipPast('}');
  }

  void function(bool isEntry, bool isExtern, bool isVisible) {
    Function function;
    function.isEntry = isEntry;
    function.isExtern = isExtern;
    function.isVisible = isVisible;
    if (tokens_.peek().is('(')) function.results = parseParameters(tokens_);
    function.line = tokens_.line();
    function.name = tokens_.expectWord("a function name");
    if (tokens_.peek().is('(')) function.parameters = parseParameters(tokens_);
    while (tokens_.peek().kind == Token::Kind::dotWord) performance(function);
    if (function.maxThreads[0] != 0 && function.requiredThreads[0] != 0) tokens_.fail(".maxntid and .reqntid exclude each other");
    if (tokens_.peek().is('{')) {
      define(function.name, function.line);
      BodyParser(tokens_, function).parse();
    } else {
      function.isExtern = true;  // a declaration
      tokens_.accept(';');
    }
    tree_.functions.push_back(std::move(function));
  }

  void define(std::string_view name, std::uint32_t line) {
    if (!defined_.insert(name).second) throw SyntaxError{line, std::string(name) + " is defined twice"};
  }

  std::uint64_t positive(std::uint64_t limit) {
    const std::uint64_t count = tokens_.expectCount(limit);
    if (count == 0) tokens_.fail("expected a number above 0");
    return count;
  }

  void sizes(unsigned (&sizes)[3]) {
    for (unsigned& size : sizes) size = 1;
    for (int i = 0; i < 3; ++i) {
      sizes[i] = unsigned(positive(1 << 30));
      if (!tokens_.accept(',')) break;
    }
  }

  // Directives of clusters came with them.
  void clusters(std::string_view word) {
    const std::string problem = missing(78, 90, architecture());
    if (!problem.empty()) tokens_.fail("." + std::string(word) + " " + problem);
  }

  void performance(Function& function) {
    const std::string_view word = tokens_.advance().text;
    if (word == "reqnctapercluster" || word == "explicitcluster" || word == "maxclusterrank") clusters(word);
    if (word == "maxntid") sizes(function.maxThreads);
    else if (word == "reqntid") sizes(function.requiredThreads);
    else if (word == "reqnctapercluster") sizes(function.requiredCluster);
    else if (word == "minnctapersm") function.minBlocks = int(positive(1 << 20));
    else if (word == "maxnreg") function.maxRegisters = int(positive(1 << 20));
    else if (word == "maxclusterrank") positive(1 << 20);
    else if (word == "noreturn" && !function.isEntry) function.noReturn = true;
    else if (word == "pragma") tokens_.skipPast(';');
    else if (word != "explicitcluster") tokens_.fail("unknown directive ." + std::string(word) + " of a function");
  }

  TokenStream tokens_;
  Tree& tree_;
  std::set<std::string_view> defined_;  // variables and functions of the module
};

}  // namespace

std::optional<Tree> parse(std::string_view text, Diagnostics& diagnostics) {
  Tree tree;
  try {
    ModuleParser(text, tree).parse();
  } catch (const SyntaxError& error) {
    diagnostics.error(error.line, error.message);
    return {};
  }
  return tree;
}

}  // namespace cnn::emu::ptx
