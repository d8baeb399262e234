#include "fat_library.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace cnn::foreign {
namespace {

struct Header {
  std::uint32_t magic;
  std::uint16_t version, bytes;
  std::uint64_t following;
};

}  // namespace

FatLibrary::FatLibrary(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  bytes_.assign(std::istreambuf_iterator<char>(file), {});
  // The linker puts them one after the other, at multiples of eight, into one section; whoever looks for their beginnings needs no ELF.
  for (std::size_t at = 0; at + sizeof(Header) <= bytes_.size();) {
    Header header;
    std::memcpy(&header, bytes_.data() + at, sizeof header);
    const bool found = header.magic == 0xba55ed50 && header.version == 1 && header.bytes == sizeof header && header.following <= bytes_.size() - at - sizeof header;
    const std::size_t length = found ? sizeof header + header.following : 8;
    if (found) binaries_.emplace_back(bytes_.data() + at, length);
    at += (length + 7) / 8 * 8;
  }
}

}  // namespace cnn::foreign
