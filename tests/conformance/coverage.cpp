// conformance_coverage [--words]
//
// Every form of an instruction that the emulator has, that is, each row of its tables, must be met by a case of the corpus.
// What cannot be is listed below with its reason, and a line of the list that is no longer needed fails as well. With --words
// it also prints, without failing for them, the words (types, roundings, scopes, ...) of each row that no case writes.
#include "corpus.h"

#include "machine/registry.h"
#include "ptx/inline.h"
#include "ptx/parser.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace cnn::conformance;
using namespace cnn::emu;

namespace {

struct Exception {
  std::string_view opcode;  // the beginning of the row's pattern
  const char* reason;
};

constexpr Exception exceptions[] = {
    {"@", "no instruction: a step of the emulator's own"},
    {"trap", "ends the context, so that no output is left to compare"},
    {"brkpt", "ends the context outside a debugger"},
};

// The words of each place of a pattern "op[.a|b].{c|d}.e" after the base; see ptx/signature.h.
std::vector<std::vector<std::string>> places(std::string_view pattern) {
  std::vector<std::vector<std::string>> result;
  std::size_t at = pattern.find_first_of(".[");
  while (at < pattern.size()) {
    const bool optional = pattern[at] == '[', choice = !optional && pattern[at + 1] == '{';
    const std::size_t begin = at + (optional || choice ? 2 : 1);
    const std::size_t end = optional ? pattern.find(']', begin) : choice ? pattern.find('}', begin) : std::min(pattern.find_first_of(".[", begin), pattern.size());
    std::vector<std::string> words(1);
    for (const char c : pattern.substr(begin, end - begin)) {
      if (c == '|') words.emplace_back();
      else if (c != '.') words.back() += c;
    }
    result.push_back(std::move(words));
    at = end + (optional || choice ? 1 : 0);
  }
  return result;
}

// row -> the words that were met, "place:word"; a row that was met has an entry
using Met = std::map<std::size_t, std::set<std::string>>;

std::string key(std::size_t place, std::string_view word) { return std::to_string(place) + ":" + std::string(word); }

bool meet(const Case& test, Met& met) {
  const std::string text = ptxOf(test);
  ptx::Diagnostics diagnostics;
  const auto tree = ptx::parse(text, diagnostics);
  if (!tree) return std::printf("%s: %s\n", test.name.c_str(), diagnostics.log().c_str()), false;
  for (const ptx::Function& function : tree->functions) {
    if (!function.isEntry) continue;
    std::deque<std::string> names;
    const ptx::Function inlined = ptx::inlineCalls(*tree, function, names, diagnostics);
    for (const ptx::Statement& statement : inlined.statements) {
      ptx::Match match;
      const auto row = registry().signatures.find(statement, inlined.registers, {tree->version, tree->target, tree->architectureSpecific}, match, diagnostics);
      if (!row) continue;
      met[*row];
      for (std::size_t place = 0; place < match.words.size(); ++place)
        if (!match.words[place].empty()) met[*row].insert(key(place, match.words[place]));
    }
  }
  if (!diagnostics.empty()) std::printf("%s: %s\n", test.name.c_str(), diagnostics.log().c_str());
  return diagnostics.empty();
}

std::string text(const Entry& entry) { return std::string(entry.opcode) + "  " + std::string(entry.operands); }

int printWords(const Entry& entry, const std::set<std::string>& met) {
  const auto all = places(entry.opcode);
  int lacking = 0;
  for (std::size_t place = 0; place < all.size(); ++place)
    for (const std::string& word : all[place])
      if (!met.contains(key(place, word))) ++lacking, std::printf("no case writes .%s in %s\n", word.c_str(), text(entry).c_str());
  return lacking;
}

}  // namespace

int main(int argc, char** argv) {
  const bool words = argc == 2 && std::string_view(argv[1]) == "--words";
  Met met;
  bool good = true;
  for (const Case& test : makeCorpus().cases) good &= meet(test, met);
  std::set<const Exception*> used;
  int lackingRows = 0, lackingWords = 0;
  const auto& entries = registry().entries;
  for (std::size_t row = 0; row < entries.size(); ++row) {
    const auto found = met.find(row);
    if (found != met.end()) {
      if (words) lackingWords += printWords(entries[row], found->second);
      continue;
    }
    const auto* excused = std::ranges::find_if(exceptions, [&](const Exception& e) { return entries[row].opcode.starts_with(e.opcode); });
    if (excused != std::end(exceptions)) used.insert(excused);
    else ++lackingRows, std::printf("no case has %s\n", text(entries[row]).c_str());
  }
  for (const Exception& e : exceptions)
    if (!used.contains(&e)) good = false, std::printf("the exception for %.*s is not needed\n", int(e.opcode.size()), e.opcode.data());
  std::printf("%zu rows, %d without a case", entries.size(), lackingRows);
  if (words) std::printf(", %d words without one", lackingWords);
  std::printf("\n");
  return good && lackingRows == 0 ? 0 : 1;
}
