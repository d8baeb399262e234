// [header: magic, version, its bytes, bytes of all entries] then entries, each [header][payload]. The layout is not documented;
// it was read off files of nvcc 12.4 and is the same since CUDA 5.
#include "driver/fat_binary.h"

#include "driver/failure.h"
#include "driver/zstd.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace cnn::emu::driver {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t containerMagic = 0xba55ed50, wrapperMagic = 0x466243b1;

struct Wrapper {
  std::uint32_t magic, version;
  const void* container;
  const void* unused;
};

struct Container {
  std::uint32_t magic;
  std::uint16_t version, headerBytes;
  std::uint64_t bytes;  // of the entries
};

enum Kind : std::uint16_t { ptx = 1, machineCode = 2 };

struct EntryHeader {
  std::uint16_t kind, version;
  std::uint32_t headerBytes;
  std::uint64_t bytes;            // of the payload with its padding
  std::uint32_t compressedBytes;  // 0: not compressed
  std::uint32_t optionsOffset;
  std::uint16_t minor, major;     // of the PTX version
  std::uint32_t sm;
  std::uint32_t nameOffset, nameBytes;
  std::uint64_t flags, reserved;
  std::uint64_t originalBytes;    // 0: not compressed
};
static_assert(sizeof(EntryHeader) == 64);

constexpr std::size_t mostBytes = std::size_t(1) << 30;  // of a whole container, or of one text

[[noreturn]] void torn(const char* what) { fail(CUDA_ERROR_INVALID_IMAGE, std::string("the fat binary is torn: ") + what); }

template <class T> T readAs(Bytes bytes, const char* what) {
  if (bytes.size() < sizeof(T)) torn(what);
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// A length of LZ4: 15 in the token goes on in further bytes, 255 in one of them in the next.
std::size_t lz4Length(Bytes from, std::size_t& at, std::size_t length) {
  if (length != 15) return length;
  for (std::uint8_t more = 255; more == 255; length += more) {
    if (at == from.size() || length > mostBytes) torn("a length of its compressed text");
    more = std::uint8_t(from[at++]);
  }
  return length;
}

// One LZ4 block (lz4 block format description): [token][literals][offset of the match], the last one without a match.
std::string decompressLz4(Bytes from, std::size_t size) {
  std::string text;
  text.reserve(size);
  for (std::size_t at = 0; at < from.size();) {
    const auto token = std::uint8_t(from[at++]);
    const std::size_t literals = lz4Length(from, at, token >> 4);
    if (literals > from.size() - at || literals > size - text.size()) torn("literals of its compressed text");
    text.append(reinterpret_cast<const char*>(from.data() + at), literals);
    at += literals;
    if (at == from.size()) break;
    const std::size_t offset = readAs<std::uint16_t>(from.subspan(at), "an offset of its compressed text");
    at += 2;
    const std::size_t match = lz4Length(from, at, token & 15) + 4;
    if (offset == 0 || offset > text.size() || match > size - text.size()) torn("a match of its compressed text");
    for (std::size_t n = 0; n < match; ++n) text.push_back(text[text.size() - offset]);  // may run into what it writes
  }
  if (text.size() != size) torn("its compressed text has another length than it says");
  return text;
}

std::string textOf(const EntryHeader& entry, Bytes payload) {
  if (entry.originalBytes == 0) return {reinterpret_cast<const char*>(payload.data()), payload.size()};
  if (entry.compressedBytes > payload.size() || entry.originalBytes > mostBytes) torn("the size of its compressed text");
  const Bytes compressed = payload.first(entry.compressedBytes);
  return isZstd(compressed) ? decompressZstd(compressed, entry.originalBytes) : decompressLz4(compressed, entry.originalBytes);
}

Bytes entriesOf(const void* image, std::size_t available) {
  if (available < sizeof(Container)) torn("its header");
  std::uint32_t magic;
  std::memcpy(&magic, image, sizeof magic);
  if (magic == wrapperMagic) {
    if (available < sizeof(Wrapper)) torn("its wrapper");
    Wrapper wrapper;
    std::memcpy(&wrapper, image, sizeof wrapper);
    image = wrapper.container;  // somewhere else in memory
    available = SIZE_MAX;
    if (!image) torn("its wrapper is empty");
  }
  Container container;
  std::memcpy(&container, image, sizeof container);
  if (container.magic != containerMagic || container.headerBytes < sizeof container || container.bytes > mostBytes) torn("its header");
  if (container.bytes > available || container.headerBytes > available - container.bytes) torn("it is shorter than it says");
  return {static_cast<const std::byte*>(image) + container.headerBytes, container.bytes};
}

}  // namespace

bool isFatBinary(const void* image) {
  // Byte by byte: a short text may end before the fourth byte.
  const auto* bytes = static_cast<const unsigned char*>(image);
  const auto begins = [bytes](std::uint32_t magic) {
    for (int n = 0; n < 4; ++n)
      if (bytes[n] != (magic >> 8 * n & 0xff)) return false;
    return true;
  };
  return begins(containerMagic) || begins(wrapperMagic);
}

std::string ptxOfFatBinary(const void* image, std::size_t available, int sm) {
  std::optional<EntryHeader> best;
  Bytes text;
  std::string held;
  for (Bytes rest = entriesOf(image, available); !rest.empty();) {
    const auto entry = readAs<EntryHeader>(rest, "the header of an entry");
    if (entry.headerBytes < sizeof entry || entry.headerBytes > rest.size() || entry.bytes > rest.size() - entry.headerBytes) torn("the size of an entry");
    held += (held.empty() ? "" : ", ") + std::string(entry.kind == ptx ? "PTX" : "machine code") + " for sm_" + std::to_string(entry.sm);
    if (entry.kind == ptx && entry.sm <= unsigned(sm) && (!best || entry.sm > best->sm)) {
      best = entry;
      text = rest.subspan(entry.headerBytes, entry.bytes);
    }
    rest = rest.subspan(entry.headerBytes + entry.bytes);
  }
  if (!best)
    fail(CUDA_ERROR_NO_BINARY_FOR_GPU, "the fat binary holds " + (held.empty() ? "nothing" : held) + "; the emulator runs PTX for sm_" +
                                           std::to_string(sm) + " or older");
  return textOf(*best, text);
}

}  // namespace cnn::emu::driver
