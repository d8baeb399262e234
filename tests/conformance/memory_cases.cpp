// Loads and stores: every width and vector form, in global, shared and local memory, with the extensions of narrow types.
#include "corpus.h"

namespace cnn::conformance {
namespace {

std::function<Column(const Columns&)> each(std::uint64_t (*f)(std::uint64_t)) {
  return [f](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = f(in[0][t]);
    return out;
  };
}

// The value goes to shared memory and its neighbour's comes back: `thread ^ 1`.
std::function<Column(const Columns&)> swapped() {
  return [](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = in[0][t ^ 1];
    return out;
  };
}

void addShared(Corpus& corpus, const std::string& suffix, Type type) {
  const std::string bytes = std::to_string(bitsOf(type) / 8);
  corpus.addBody("memory/st.shared" + suffix + "+ld.shared" + suffix,
                 "mov.u32 %r8, buffer; mad.lo.u32 %r9, %r1, " + bytes + ", %r8; st.shared" + suffix + " [%r9], %a; bar.sync 0; xor.b32 %r10, %r1, 1; "
                 "mad.lo.u32 %r9, %r10, " + bytes + ", %r8; ld.shared" + suffix + " %o, [%r9];",
                 type, {{type}}, swapped())
      .declarations = ".shared .align 16 .b8 buffer[1024];";
}

void addLocal(Corpus& corpus, const std::string& suffix, Type type) {
  corpus.addBody("memory/st.local" + suffix + "+ld.local" + suffix,
                 ".local .align 16 .b8 own[16]; mov.u64 %d8, own; st.local" + suffix + " [%d8+8], %a; ld.local" + suffix + " %o, [%d8+8];", type, {{type}},
                 each([](std::uint64_t x) { return x; }));
}

// Vectors of 16 bytes: four threads' values as one access of the first of them, rotated by one place.
void addVector(Corpus& corpus, const std::string& space, const std::string& prepare) {
  corpus.addBody("memory/ld." + space + ".v4.b32+st." + space + ".v4.b32",
                 prepare + "setp.eq.u32 %p1, %r11, 0; "
                 "@%p1 ld." + space + ".v4.b32 {%r12, %r13, %r14, %r15}, [%d9]; bar.sync 0; @%p1 st." + space + ".v4.b32 [%d9], {%r13, %r14, %r15, %r12}; bar.sync 0; "
                 "ld." + space + ".b32 %o, [%d8];",
                 Type::u32, {{Type::u32}}, [](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = in[0][(t & ~3u) | ((t + 1) & 3)];
    return out;
  }).declarations = ".shared .align 16 .b8 buffer[1024];\n.global .align 16 .b8 storage[1024];";
  corpus.addBody("memory/ld." + space + ".v2.b64+st." + space + ".v2.b64",
                 prepare + "setp.eq.u32 %p1, %r11, 0; "
                 "@%p1 ld." + space + ".v2.b64 {%d12, %d13}, [%d9]; bar.sync 0; @%p1 st." + space + ".v2.b64 [%d9], {%d13, %d12}; bar.sync 0; "
                 "ld." + space + ".b32 %o, [%d8];",
                 Type::u32, {{Type::u32}}, [](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = in[0][t ^ 2];
    return out;
  }).declarations = ".shared .align 16 .b8 buffer[1024];\n.global .align 16 .b8 storage[1024];";
}

// A narrow load fills a wide register with zeros or with the sign.
void addExtensions(Corpus& corpus) {
  const std::string store = "mov.u32 %r8, buffer; mad.lo.u32 %r9, %r1, 4, %r8; st.shared.b32 [%r9], %a; ";
  const char* buffer = ".shared .align 16 .b8 buffer[1024];";
  corpus.addBody("memory/ld.shared.u8 to 32 bits", store + "ld.shared.u8 %o, [%r9+1];", Type::u32, {{Type::u32}}, each([](std::uint64_t x) { return x >> 8 & 255; })).declarations = buffer;
  corpus.addBody("memory/ld.shared.s8 to 32 bits", store + "ld.shared.s8 %o, [%r9+1];", Type::u32, {{Type::u32}},
                 each([](std::uint64_t x) { return std::uint64_t(signExtend(x >> 8 & 255, 8)) & mask(32); })).declarations = buffer;
  corpus.addBody("memory/ld.shared.u16 to 32 bits", store + "ld.shared.u16 %o, [%r9+2];", Type::u32, {{Type::u32}}, each([](std::uint64_t x) { return x >> 16 & 0xffff; })).declarations = buffer;
  corpus.addBody("memory/ld.shared.s16 to 32 bits", store + "ld.shared.s16 %o, [%r9+2];", Type::u32, {{Type::u32}},
                 each([](std::uint64_t x) { return std::uint64_t(signExtend(x >> 16 & 0xffff, 16)) & mask(32); })).declarations = buffer;
  corpus.addBody("memory/ld.shared.s32 to 64 bits", store + "ld.shared.s32 %o, [%r9];", Type::u64, {{Type::u32}},
                 each([](std::uint64_t x) { return std::uint64_t(signExtend(x, 32)); })).declarations = buffer;
  corpus.addBody("memory/st.shared.u8 keeps its neighbours", store + "st.shared.u8 [%r9+2], 17; ld.shared.b32 %o, [%r9];", Type::u32, {{Type::u32}},
                 each([](std::uint64_t x) { return (x & 0xff00ffff) | 0x110000; })).declarations = buffer;
}

}  // namespace

void addMemory(Corpus& corpus) {
  for (const auto& [type, suffix] : {std::pair{Type::u16, ".u16"}, {Type::u32, ".u32"}, {Type::u64, ".u64"}, {Type::u32, ".b32"}, {Type::u64, ".b64"},
                                     {Type::f32, ".f32"}, {Type::f64, ".f64"}, {Type::u16, ".b16"}}) {
    addShared(corpus, suffix, type);
    addLocal(corpus, suffix, type);
  }
  addExtensions(corpus);
  // %d8: this thread's word, %d9: the first word of its group of four, %r11: place in the group.
  const std::string place = "mul.wide.u32 %d10, %r1, 4; and.b32 %r11, %r1, 3; and.b32 %r10, %r1, 0xfffffffc; mul.wide.u32 %d11, %r10, 4; ";
  addVector(corpus, "shared", "mov.u64 %d7, buffer; " + place + "add.s64 %d8, %d7, %d10; add.s64 %d9, %d7, %d11; st.shared.b32 [%d8], %a; bar.sync 0; ");
  addVector(corpus, "global", "mov.u64 %d7, storage; " + place + "add.s64 %d8, %d7, %d10; add.s64 %d9, %d7, %d11; st.global.b32 [%d8], %a; bar.sync 0; ");
  // One address, two windows: generic access to shared memory.
  corpus.addBody("memory/cvta.shared+ld", "mov.u32 %r8, buffer; mad.lo.u32 %r9, %r1, 4, %r8; st.shared.b32 [%r9], %a; bar.sync 0; cvt.u64.u32 %d8, %r9; "
                 "cvta.shared.u64 %d9, %d8; xor.b64 %d9, %d9, 4; ld.b32 %o, [%d9];", Type::u32, {{Type::u32}}, swapped()).declarations = ".shared .align 16 .b8 buffer[1024];";
}

}  // namespace cnn::conformance
