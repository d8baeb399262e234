// Golden outputs: what a device computed for each case, to be reproduced by every other device from then on.
//
// A text file: two comment lines with the device, its capability, the driver version and the date, then one line per
// case: the hash of its PTX, its name, and its outputs in hexadecimal, separated by tabs.
#pragma once

#include "corpus.h"

#include <map>
#include <string>

namespace cnn::conformance {

struct Device {
  std::string name;
  int major, minor, driver;
  bool emulated;
};

class Golden {
 public:
  void set(const Case& test, const Column& values) { entries_[test.name] = {hashOf(ptxOf(test)), values}; }
  void write(const std::string& path, const Device& device) const;
  static Golden read(const std::string& path);
  // Null when the file has no such case. Throws when it was made from other PTX.
  const Column* find(const Case& test) const;

 private:
  struct Entry {
    std::uint64_t hash;
    Column values;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace cnn::conformance
