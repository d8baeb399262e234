// kernel_bindings <ptx folder> <manifest.json> <Kernels.g.cs> <a.cu> ...
//
// Reads each source's entry points (extern "C" __global__ ... void name(parameters)), checks them against the compiled
// PTX, and writes what the managed side needs: a manifest, and the C# file with one typed launch method per kernel, so
// that a wrong argument list does not compile there. A file whose content would not change is left alone.
#include "ptx/parser.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;
using namespace cnn::emu;

namespace {

struct Parameter {
  std::string type, name;  // of C#
  std::string declared;    // of CUDA
  std::size_t size = 0;    // of the PTX
  bool isStructure = false;
};

struct Entry {
  std::string module, name, member;
  std::vector<Parameter> parameters;
  unsigned maxThreads = 0;
};

struct Module {
  std::string name;
  std::vector<std::string> targets;
  std::vector<Entry> entries;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path.string() + " cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

void writeIfChanged(const fs::path& path, const std::string& text) {
  if (fs::exists(path) && read(path) == text) return;
  fs::create_directories(path.parent_path());
  const fs::path temporary = path.string() + ".new";
  std::ofstream(temporary, std::ios::binary) << text;
  fs::rename(temporary, path);
}

// Comments become blanks, so that they hide no bracket.
std::string withoutComments(std::string text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '/' || (text[i + 1] != '/' && text[i + 1] != '*')) continue;
    const bool line = text[i + 1] == '/';
    std::size_t end = text.find(line ? "\n" : "*/", i + 2);
    end = end == std::string::npos ? text.size() : end + (line ? 0 : 2);
    std::fill(text.begin() + i, text.begin() + end, ' ');
    i = end;
  }
  return text;
}

std::size_t closing(const std::string& text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i;
  }
  throw std::runtime_error("a bracket is not closed");
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> all;
  std::string word;
  for (char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      word += c;
      continue;
    }
    if (!word.empty()) all.push_back(std::exchange(word, {}));
    if (c == '*') all.push_back("*");
  }
  return all;
}

Parameter parameter(const std::string& text) {
  std::vector<std::string> all = words(text);
  std::erase_if(all, [](const std::string& w) { return w == "const" || w == "__restrict__" || w == "__grid_constant__"; });
  if (all.size() < 2) throw std::runtime_error("parameter '" + text + "' has no name");
  Parameter result;
  result.name = all.back();
  all.pop_back();
  for (const std::string& w : all) result.declared += (result.declared.empty() || w == "*" ? "" : " ") + w;
  static const std::pair<const char*, const char*> types[] = {
      {"int", "int"}, {"unsigned", "uint"}, {"unsigned int", "uint"}, {"long long", "long"}, {"unsigned long long", "ulong"}, {"float", "float"}, {"double", "double"}};
  const auto known = std::find_if(std::begin(types), std::end(types), [&](auto& t) { return result.declared == t.first; });
  if (all.back() == "*") result.type = "DevicePointer";
  else if (known != std::end(types)) result.type = known->second;
  else if (all.size() == 1) result.type = all[0], result.isStructure = true;
  else throw std::runtime_error("parameter '" + text + "' has a type that has no counterpart in C#");
  return result;
}

std::vector<Parameter> parameters(const std::string& list) {
  std::vector<Parameter> all;
  std::stringstream stream(list);
  for (std::string one; std::getline(stream, one, ',');)
    if (!words(one).empty()) all.push_back(parameter(one));
  return all;
}

// relu_forward_f32 -> ReluForwardF32
std::string pascal(const std::string& snake) {
  std::string result;
  bool upper = true;
  for (char c : snake) {
    if (c != '_') result += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return result;
}

std::vector<Entry> entries(const std::string& source, const std::string& module) {
  static const std::string head = "extern \"C\" __global__";
  const std::string text = withoutComments(source);
  std::vector<Entry> all;
  for (std::size_t at = text.find(head); at != std::string::npos; at = text.find(head, at + 1)) {
    std::size_t begin = text.find("void", at), open;
    const std::size_t bounds = text.find("__launch_bounds__", at);
    if (bounds < begin) begin = text.find("void", closing(text, text.find('(', bounds)));
    open = text.find('(', begin);
    const std::vector<std::string> name = words(text.substr(begin + 4, open - begin - 4));
    if (name.size() != 1) throw std::runtime_error("an entry point is not of the form: extern \"C\" __global__ __launch_bounds__(n) void name(...)");
    all.push_back({module, name[0], pascal(name[0]), parameters(text.substr(open + 1, closing(text, open) - open - 1)), 0});
  }
  return all;
}

// Compares the declared parameters with those of the PTX, which is the truth, and takes their sizes from it.
void check(Module& module, const std::string& target, const fs::path& path) {
  const std::string text = read(path);
  ptx::Diagnostics diagnostics;
  const std::optional<ptx::Tree> tree = ptx::parse(text, diagnostics);
  if (!tree) throw std::runtime_error(path.string() + ": " + diagnostics.log());
  std::size_t found = 0;
  for (const ptx::Function& function : tree->functions) {
    if (!function.isEntry) continue;
    const auto entry = std::find_if(module.entries.begin(), module.entries.end(), [&](const Entry& e) { return e.name == function.name; });
    const std::string where = module.name + "." + target + ": kernel " + std::string(function.name);
    if (entry == module.entries.end()) throw std::runtime_error(where + " is not written out as extern \"C\" __global__ in its source");
    if (entry->parameters.size() != function.parameters.size()) throw std::runtime_error(where + " has another number of parameters than its source");
    for (std::size_t i = 0; i < function.parameters.size(); ++i) {
      Parameter& p = entry->parameters[i];
      const std::size_t size = function.parameters[i].size;
      const std::size_t expected = p.type == "int" || p.type == "uint" || p.type == "float" ? 4 : p.isStructure ? size : 8;
      if (size != expected || (p.size != 0 && p.size != size))
        throw std::runtime_error(where + ": parameter " + p.name + " has " + std::to_string(size) + " bytes, which does not fit " + p.declared);
      p.size = size;
    }
    entry->maxThreads = function.maxThreads[0] * std::max(1u, function.maxThreads[1]) * std::max(1u, function.maxThreads[2]);
    if (entry->maxThreads == 0) throw std::runtime_error(where + " has no __launch_bounds__");
    ++found;
  }
  if (found != module.entries.size()) throw std::runtime_error(module.name + "." + target + " lacks an entry point of its source");
}

std::vector<std::string> targets(const std::string& source) {
  const std::size_t at = source.find("// ptx: ");
  if (at == std::string::npos) return {"sm_80", "sm_90a"};
  std::stringstream line(source.substr(at + 8, source.find('\n', at) - at - 8));
  std::vector<std::string> all;
  for (std::string one; line >> one;) all.push_back(one);
  return all;
}

std::string manifest(const std::vector<Module>& modules) {
  std::ostringstream out;
  out << "{\n  \"modules\": [";
  for (const Module& module : modules) {
    out << (&module == &modules[0] ? "\n" : ",\n") << "    {\"name\": \"" << module.name << "\", \"targets\": [";
    for (const std::string& target : module.targets) out << (&target == &module.targets[0] ? "" : ", ") << '"' << target << '"';
    out << "], \"kernels\": [";
    for (const Entry& entry : module.entries) {
      out << (&entry == &module.entries[0] ? "\n" : ",\n") << "      {\"name\": \"" << entry.name << "\", \"max_threads\": " << entry.maxThreads << ", \"parameters\": [";
      for (const Parameter& p : entry.parameters)
        out << (&p == &entry.parameters[0] ? "" : ", ") << "{\"name\": \"" << p.name << "\", \"type\": \"" << p.declared << "\", \"bytes\": " << p.size << '}';
      out << "]}";
    }
    out << "]}";
  }
  out << "\n  ]\n}\n";
  return out.str();
}

std::string camel(const std::string& name) {
  std::string result = pascal(name);
  result[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(result[0])));
  static const std::set<std::string> reserved = {"in", "out", "ref", "base", "params", "object", "string", "launch", "arguments"};
  return reserved.contains(result) ? result + "Value" : result;
}

std::string declared(const std::vector<Parameter>& parameters) {
  std::string result;
  for (const Parameter& p : parameters) result += (result.empty() ? "" : ", ") + p.declared + ' ' + p.name;
  return result;
}

// `chosen` is the kernel to launch; `first` what stands before the launch configuration in the parameters.
void launchMethod(std::ostringstream& out, const std::string& name, const std::string& chosen, const std::string& first, const std::vector<Parameter>& parameters) {
  out << "    public void " << name << '(' << first << "in LaunchConfiguration launch";
  for (const Parameter& p : parameters) out << ", " << p.type << ' ' << camel(p.name);
  out << ")\n    {\n        void** arguments = stackalloc void*[" << std::max<std::size_t>(1, parameters.size()) << "];\n";
  for (std::size_t i = 0; i < parameters.size(); ++i) out << "        arguments[" << i << "] = &" << camel(parameters[i].name) << ";\n";
  out << "        Launch(" << chosen << ", launch, arguments);\n    }\n";
}

void launchMethod(std::ostringstream& out, const Entry& entry) {
  out << "\n    /// <summary>" << entry.name << '(' << declared(entry.parameters) << ")</summary>\n";
  launchMethod(out, entry.member, "Kernel." + entry.member, "", entry.parameters);
}

// The name without its data type, where the module has the kernel for all three: fill of fill_f32, fill_bf16 and fill_f16.
std::optional<std::string> typedStem(const Module& module, const Entry& entry) {
  static const std::string suffixes[] = {"_f32", "_bf16", "_f16"};
  const auto suffix = std::find_if(std::begin(suffixes), std::end(suffixes), [&](const std::string& s) { return entry.name.ends_with(s); });
  if (suffix == std::end(suffixes)) return std::nullopt;
  const std::string stem = entry.name.substr(0, entry.name.size() - suffix->size());
  for (const std::string& other : suffixes)
    if (std::none_of(module.entries.begin(), module.entries.end(), [&](const Entry& e) { return e.name == stem + other; })) return std::nullopt;
  return stem;
}

// One method for the kernels of all data types, which is told the type: the one place that chooses by it.
void typedMethod(std::ostringstream& out, const std::string& stem, const Entry& entry) {
  const std::string member = pascal(stem);
  out << "\n    /// <summary>" << stem << "_f32, _bf16 or _f16(" << declared(entry.parameters) << ")</summary>\n";
  launchMethod(out, member, "OfType(type, Kernel." + member + "F32, Kernel." + member + "Bf16, Kernel." + member + "F16)", "DType type, ", entry.parameters);
}

// What names have in common, up to an underscore: sgemm_nn_64x64 and sgemm_nt_64x64 are of the family sgemm.
std::string family(const std::vector<const Entry*>& members) {
  std::string prefix = members[0]->name;
  for (const Entry* entry : members) prefix.resize(std::mismatch(prefix.begin(), prefix.end(), entry->name.begin(), entry->name.end()).first - prefix.begin());
  return pascal(prefix.substr(0, prefix.rfind('_')));
}

// Kernels of a module that take the same and differ in their name (tile, layout, data type) also get one method that is told
// which. Those that differ in nothing but the data type have their method already; kernels of all types join where a module
// has nothing else, so that names stay apart.
void familyMethods(std::ostringstream& out, const Module& module) {
  std::map<std::string, std::vector<const Entry*>> families;
  for (const Entry& entry : module.entries) {
    std::string signature;
    for (const Parameter& p : entry.parameters) signature += p.type + ' ' + p.name + ',';
    families[signature].push_back(&entry);
  }
  for (const auto& [signature, members] : families) {
    std::set<std::string> stems;
    for (const Entry* entry : members) stems.insert(typedStem(module, *entry).value_or(entry->name));
    const std::string name = family(members);
    const bool typed = stems.size() < members.size();
    if (stems.size() < 2 || (typed && families.size() > 1)) continue;
    out << "\n    /// <summary>One of " << members.size() << " kernels from " << members.front()->name << " to " << members.back()->name << ": ("
        << declared(members[0]->parameters) << ")</summary>\n";
    launchMethod(out, name, "kernel", "Kernel kernel, ", members[0]->parameters);
  }
}

std::string bindings(const std::vector<Module>& modules) {
  std::ostringstream out;
  std::set<std::pair<std::string, std::size_t>> structures;
  out << "// <auto-generated>Made by native/tools/kernel_bindings.cpp from native/kernels; do not edit.</auto-generated>\n"
         "#nullable enable\nusing CnnNative.Interop;\n\nnamespace CnnNative.Engines.Native;\n\n"
         "/// <summary>Every kernel.</summary>\ninternal enum Kernel\n{\n";
  for (const Module& module : modules)
    for (const Entry& entry : module.entries) {
      out << "    " << entry.member << ",\n";
      for (const Parameter& p : entry.parameters)
        if (p.isStructure) structures.insert({p.type, p.size});
    }
  out << "}\n\ninternal sealed unsafe partial class Kernels\n{\n    /// <summary>Module, name, threads and targets, by <see cref=\"Kernel\"/>.</summary>\n"
         "    internal static readonly KernelEntry[] Entries =\n    [\n";
  for (const Module& module : modules)
    for (const Entry& entry : module.entries) {
      out << "        new(\"" << module.name << "\", \"" << entry.name << "\", " << entry.maxThreads << ", \"";
      for (const std::string& target : module.targets) out << (&target == &module.targets[0] ? "" : " ") << target;
      out << "\"),\n";
    }
  out << "    ];\n\n    /// <summary>Structures that go to kernels by value: name, bytes there, bytes here.</summary>\n"
         "    internal static readonly (string Name, int KernelBytes, int ManagedBytes)[] Structures =\n    [\n";
  for (const auto& [name, size] : structures) out << "        (\"" << name << "\", " << size << ", sizeof(" << name << ")),\n";
  out << "    ];\n";
  for (const Module& module : modules) {
    for (const Entry& entry : module.entries) {
      const std::optional<std::string> stem = typedStem(module, entry);
      if (!stem) launchMethod(out, entry);
      else if (entry.name == *stem + "_f32") typedMethod(out, *stem, entry);
    }
    familyMethods(out, module);
  }
  out << "}\n";
  return out.str();
}

}  // namespace

int main(int count, char** values) {
  if (count < 4) {
    std::fprintf(stderr, "usage: kernel_bindings <ptx folder> <manifest.json> <Kernels.g.cs> <a.cu> ...\n");
    return 2;
  }
  try {
    std::vector<fs::path> sources(values + 4, values + count);
    std::sort(sources.begin(), sources.end(), [](const fs::path& a, const fs::path& b) { return a.stem() < b.stem(); });
    std::vector<Module> modules;
    std::set<std::string> names;
    for (const fs::path& source : sources) {
      const std::string text = read(source);
      Module module{source.stem().string(), targets(text), entries(text, source.stem().string())};
      for (const std::string& target : module.targets) check(module, target, fs::path(values[1]) / (module.name + "." + target + ".ptx"));
      for (const Entry& entry : module.entries)
        if (!names.insert(entry.member).second) throw std::runtime_error("two kernels are called " + entry.name);
      modules.push_back(std::move(module));
    }
    writeIfChanged(values[2], manifest(modules));
    writeIfChanged(values[3], bindings(modules));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kernel_bindings: %s\n", error.what());
    return 1;
  }
}
