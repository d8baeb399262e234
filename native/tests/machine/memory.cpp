// Loads and stores: every type and vector width in every space, directly and by generic addresses, byte for byte.
// Vectors are taken apart and put together by scalar accesses, so that a permutation cannot undo itself.
#include "table.h"

#include <array>

using namespace cnn::test;

namespace {

constexpr unsigned threads = 64, slotBytes = 16, bytes = threads * slotBytes;
using Bytes = std::vector<std::uint8_t>;

const char* const types[] = {"b8", "u8", "s8", "b16", "u16", "s16", "b32", "u32", "s32", "f32", "b64", "u64", "s64", "f64"};

// A space, and how %at comes to be the address of this thread's slot in it.
struct Space {
  std::string name, suffix, address;
  bool isFilled;  // by the kernel; the host or the module fills the others
};

const Space loadable[] = {
    {"global", ".global", "mov.b64 %at, %in;", false},
    {"const", ".const", "mov.u64 %at, table;\nadd.u64 %at, %at, %slot;", false},
    {"param", ".param", "mov.b64 %at, block;\nadd.u64 %at, %at, %slot;", false},
    {"shared", ".shared", "mov.u64 %at, tile;\nadd.u64 %at, %at, %slot;", true},
    {"local", ".local", "mov.u64 %at, own;", true},
    {"generic global", "", "cvta.global.u64 %at, %in;", false},
    {"generic const", "", "mov.u64 %at, table;\ncvta.const.u64 %at, %at;\nadd.u64 %at, %at, %slot;", false},
    {"generic shared", "", "mov.u64 %at, tile;\ncvta.shared.u64 %at, %at;\nadd.u64 %at, %at, %slot;", true},
    {"generic local", "", "mov.u64 %at, own;\ncvta.local.u64 %at, %at;", true},
};

Bytes pattern() {
  std::mt19937 random(5);
  Bytes values(bytes);
  for (auto& value : values) value = std::uint8_t(random());
  return values;
}

// One access: `type` with `count` elements; instructions name the elements %v0, %v1, ...
struct Access {
  std::string type;
  unsigned count;

  unsigned elementBytes() const { return bytesOf(type); }
  unsigned width() const { return elementBytes() * count; }
  std::string suffix() const { return (count > 1 ? ".v" + std::to_string(count) : "") + "." + type; }
  std::string registers() const {
    std::string list = "%v0";
    for (unsigned n = 1; n < count; ++n) list += ", %v" + std::to_string(n);
    return count > 1 ? "{" + list + "}" : list;
  }
  std::string declaration() const {
    return ".reg .b" + std::to_string(std::max(16u, 8 * elementBytes())) + " %v<4>;\n";
  }
  // Element by element between the registers and global memory.
  std::string each(const std::string& opcode, const std::string& base) const {
    std::string text;
    for (unsigned n = 0; n < count; ++n) {
      const std::string value = "%v" + std::to_string(n), at = "[" + base + "+" + std::to_string(n * elementBytes()) + "]";
      text += opcode + ".global." + type + (opcode == "ld" ? " " + value + ", " + at : " " + at + ", " + value) + ";\n";
    }
    return text;
  }
};

std::vector<Access> accesses() {
  std::vector<Access> all;
  for (const char* type : types)
    for (const unsigned count : {1u, 2u, 4u})
      if (count * bytesOf(type) <= slotBytes) all.push_back({type, count});
  return all;
}

// Every byte of the slot, one by one.
std::string bytewise(const std::string& from, const std::string& source, const std::string& to, const std::string& target) {
  std::string text;
  for (unsigned n = 0; n < slotBytes; ++n) {
    const std::string offset = "+" + std::to_string(n) + "]";
    text += "ld" + from + ".u8 %byte, [" + source + offset + ";\nst" + to + ".u8 [" + target + offset + ", %byte;\n";
  }
  return text;
}

std::string zeroed(const Space& space) {
  std::string text = "mov.b16 %byte, 0;\n";
  for (unsigned n = 0; n < slotBytes; ++n) text += "st" + space.suffix + ".u8 [%at+" + std::to_string(n) + "], %byte;\n";
  return text;
}

std::string entry(const std::string& name, const Access& access, const std::string& body) {
  return ".visible .entry " + name + "(.param .align 16 .b8 block[" + std::to_string(bytes) + "], .param .u64 source, .param .u64 target)\n{\n"
         ".shared .align 16 .b8 tile[" + std::to_string(bytes) + "];\n.local .align 16 .b8 own[16];\n"
         ".reg .b32 %t;\n.reg .b16 %byte;\n.reg .b64 %in, %out, %at, %slot;\n" + access.declaration() +
         "mov.u32 %t, %tid.x;\nmul.wide.u32 %slot, %t, 16;\nld.param.u64 %in, [source];\nld.param.u64 %out, [target];\n"
         "add.u64 %in, %in, %slot;\nadd.u64 %out, %out, %slot;\n" + body + "ret;\n}\n";
}

std::string constantTable() {
  std::string text = ".const .align 16 .b8 table[" + std::to_string(bytes) + "] = {";
  for (const unsigned value : pattern()) text += std::to_string(value) + ",";
  text.back() = '}';
  return text + ";\n";
}

// Runs one kernel per access; each must bring the first `width` bytes of every slot from the pattern to the target, and
// leave the rest of the slot zero.
void checkSpace(const Space& space, const char* what, const std::function<std::string(const Access&)>& body) {
  const std::vector<Access> all = accesses();
  std::string text = constantTable();
  for (std::size_t n = 0; n < all.size(); ++n) text += entry("k" + std::to_string(n), all[n], space.address + "\n" + body(all[n]));
  Device device;
  Program program(device, moduleText(text));
  const Bytes source = pattern();
  std::array<std::uint8_t, bytes> block;
  std::copy(source.begin(), source.end(), block.begin());
  const std::uint64_t in = device.upload(source);
  for (std::size_t n = 0; n < all.size(); ++n) {
    const std::uint64_t out = device.zeros<std::uint8_t>(bytes);
    program.run("k" + std::to_string(n), {1}, {threads}, 0, block, in, out);
    Bytes expected = source;
    for (unsigned b = 0; b < bytes; ++b)
      if (b % slotBytes >= all[n].width()) expected[b] = 0;
    const bool same = device.download<std::uint8_t>(out, bytes) == expected;
    cnn::check::report(same, __FILE__, __LINE__, same ? "" : std::string(what) + all[n].suffix() + " in " + space.name + " moved other bytes");
  }
}

}  // namespace

TEST(loads) {
  for (const Space& space : loadable)
    checkSpace(space, "ld", [&](const Access& access) {
      return (space.isFilled ? bytewise(".global", "%in", space.suffix, "%at") : "") +
             "ld" + space.suffix + access.suffix() + " " + access.registers() + ", [%at];\n" + access.each("st", "%out");
    });
}

TEST(stores) {
  for (const Space& space : loadable) {
    if (!space.isFilled) continue;
    checkSpace(space, "st", [&](const Access& access) {
      return zeroed(space) + access.each("ld", "%in") + "st" + space.suffix + access.suffix() + " [%at], " + access.registers() + ";\n" +
             bytewise(space.suffix, "%at", ".global", "%out");
    });
  }
}

TEST(stores_to_global_memory) {
  for (const Space& space : {Space{"global", ".global", "mov.b64 %at, %out;", false}, Space{"generic global", "", "cvta.global.u64 %at, %out;", false}})
    checkSpace(space, "st", [&](const Access& access) {
      return access.each("ld", "%in") + "st" + space.suffix + access.suffix() + " [%at], " + access.registers() + ";\n";
    });
}
