#include "golden.h"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cnn::conformance {

void Golden::write(const std::string& path, const Device& device) const {
  const std::string temporary = path + ".tmp";
  std::ofstream file(temporary);
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  file << "# " << device.name << ", compute capability " << device.major << "." << device.minor << "\n# driver " << device.driver << ", " << date << "\n";
  for (const auto& [name, entry] : entries_) {
    file << std::hex << entry.hash << '\t' << name << '\t';
    for (std::size_t i = 0; i < entry.values.size(); ++i) file << (i ? " " : "") << entry.values[i];
    file << '\n';
  }
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) throw std::runtime_error("cannot write " + path);
}

Golden Golden::read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Golden golden;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto first = line.find('\t'), second = line.find('\t', first + 1);
    if (second == std::string::npos) throw std::runtime_error(path + ": not a golden line: " + line.substr(0, 80));
    Entry entry{std::stoull(line.substr(0, first), nullptr, 16), {}};
    std::istringstream values(line.substr(second + 1));
    for (std::uint64_t value; values >> std::hex >> value;) entry.values.push_back(value);
    golden.entries_[line.substr(first + 1, second - first - 1)] = std::move(entry);
  }
  return golden;
}

const Column* Golden::find(const Case& test) const {
  const auto found = entries_.find(test.name);
  if (found == entries_.end()) return nullptr;
  if (found->second.hash != hashOf(ptxOf(test))) throw std::runtime_error("the golden output was made from other PTX; make it again");
  if (found->second.values.size() != test.outputs) throw std::runtime_error("the golden output has another number of values");
  return &found->second.values;
}

}  // namespace cnn::conformance
