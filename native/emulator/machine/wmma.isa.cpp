// wmma.load, wmma.mma, wmma.store: products of matrix fragments whose layout is this implementation's own affair.
//
// An element of a fragment with R rows and C columns has the number row * C + column; lane l holds the R C / 32 of them from
// l R C / 32 on, packed into registers from the low bits up. Where the instruction set gives a fragment more registers than
// that takes, the rest are copies, so that a program may apply a function to all elements without knowing the layout.
//
// Sums are in the type of the accumulator (f32 for f16), k ascending, as mma_math.h has it.
#include "machine/address.h"
#include "machine/collective.h"
#include "machine/family.h"
#include "machine/jitter.h"
#include "machine/mma_math.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

namespace cnn::emu::CNN_ISA {

namespace {

using ptx::Space;
using ptx::Type;

struct Fragment {
  int rows, columns;
  Type type;                // of an element in memory
  uint32_t slots[8];
  uint32_t registers;       // as the instruction set counts them

  int perLane() const { return rows * columns / int(warpLanes); }
  uint32_t bytes() const { return ptx::bytes(type); }
};

// ---- one element of a fragment ----------------------------------------------------------------------------------

uint64_t readElement(const Warp& w, const Fragment& f, int number) {
  const int lane = number / f.perLane(), n = number % f.perLane();
  if (f.bytes() == 8) return w.lanes<uint64_t>(f.slots[n])[lane];
  const int packed = int(4 / f.bytes());
  return w.lanes<uint32_t>(f.slots[n / packed])[lane] >> 32 / packed * (n % packed);
}

void writeElement(Warp& w, const Fragment& f, int number, uint64_t value) {
  const int lane = number / f.perLane(), n = number % f.perLane();
  if (f.bytes() == 8) {
    w.lanes<uint64_t>(f.slots[n])[lane] = value;
    return;
  }
  const uint32_t packed = 4 / f.bytes(), bits = 32 / packed, shift = bits * (uint32_t(n) % packed);
  const uint32_t used = uint32_t(f.perLane()) / packed, mask = uint32_t((uint64_t(1) << bits) - 1) << shift;
  for (uint32_t r = uint32_t(n) / packed; r < f.registers; r += used) {
    uint32_t& word = w.lanes<uint32_t>(f.slots[r])[lane];
    word = (word & ~mask) | (uint32_t(value) << shift & mask);
  }
}

// ---- load and store ---------------------------------------------------------------------------------------------

struct Transfer {
  Fragment fragment;
  uint32_t address, stride;   // slots; stride 0: lines without gaps
  std::int64_t offset;
  bool wide, hasStride, columnMajor, isStore;
  Space space;
};

// Where the matrix begins and its lines are apart, the same for all lanes.
struct Placement {
  uint64_t base, pitch;       // bytes

  static const char* find(const Warp& w, const Transfer& t, Placement& placement) {
    const Fragment& f = t.fragment;
    const auto addressOf = [&](unsigned lane) {
      return (t.wide ? w.lanes<uint64_t>(t.address)[lane] : w.lanes<uint32_t>(t.address)[lane]) + uint64_t(t.offset);
    };
    const auto strideOf = [&](unsigned lane) { return t.hasStride ? w.lanes<uint32_t>(t.stride)[lane] : uint32_t(t.columnMajor ? f.rows : f.columns); };
    for (unsigned lane = 1; lane < warpLanes; ++lane)
      if (addressOf(lane) != addressOf(0) || strideOf(lane) != strideOf(0)) return "the lanes name different matrices";
    placement = {addressOf(0), uint64_t(strideOf(0)) * f.bytes()};
    const uint64_t line = uint64_t(t.columnMajor ? f.rows : f.columns) * f.bytes();
    if (placement.base % std::min<uint64_t>(line, 32) != 0) return "the matrix begins at an address that is no multiple of its lines, or of 32";
    return placement.pitch % 16 == 0 ? nullptr : "the stride is no multiple of 16 bytes";
  }
};

const Instruction* transfer(Warp& w, const Instruction* i) {
  const Transfer& t = *static_cast<const Transfer*>(i->extra);
  const Fragment& f = t.fragment;
  const char* name = t.isStore ? "wmma.store" : "wmma.load";
  if (const WholeWarp entry(w, i, name); !entry.ready) return entry.otherwise;
  Placement p;
  if (const char* wrong = Placement::find(w, t, p)) return w.fault(i, statusMisalignedAddress, std::string(name) + ": " + wrong);
  for (int n = 0; n < f.perLane(); ++n) {
    uint64_t addresses[warpLanes];
    std::byte* hosts[warpLanes];
    for (int lane = 0; lane < int(warpLanes); ++lane) {
      const int number = lane * f.perLane() + n;
      const auto row = uint64_t(number / f.columns), column = uint64_t(number % f.columns);
      addresses[lane] = p.base + (t.columnMajor ? column * p.pitch + row * f.bytes() : row * p.pitch + column * f.bytes());
    }
    if (!resolveLanes(w, i, t.space, addresses, f.bytes(), allLanes, t.isStore ? AccessKind::store : AccessKind::load, hosts)) return nullptr;
    for (int lane = 0; lane < int(warpLanes); ++lane) {
      uint64_t value = t.isStore ? readElement(w, f, lane * f.perLane() + n) : 0;
      if (t.isStore) {
        std::memcpy(hosts[lane], &value, f.bytes());
      } else {
        std::memcpy(&value, hosts[lane], f.bytes());
        writeElement(w, f, lane * f.perLane() + n, value);
      }
    }
  }
  return i + 1;
}

// ---- the product ------------------------------------------------------------------------------------------------

struct Product {
  Fragment a, b, c, d;
  bool saturates;
};

template <class Sum> Sum numberOf(Type type, uint64_t bits) {
  switch (type) {
    case Type::f16: return Sum(halfToFloat(uint16_t(bits)));
    case Type::bf16: return Sum(std::bit_cast<float>(uint32_t(bits) << 16));
    case Type::tf32: return Sum(std::bit_cast<float>(uint32_t(bits) & 0xffffe000u));
    case Type::f32: return Sum(std::bit_cast<float>(uint32_t(bits)));
    case Type::f64: return Sum(std::bit_cast<double>(bits));
    case Type::u8: return Sum(uint8_t(bits));
    case Type::s8: return Sum(int8_t(bits));
    default: return Sum(int32_t(bits));
  }
}

template <class Sum> uint64_t bitsOf(Type type, Sum value) {
  if constexpr (std::is_same_v<Sum, double>) return std::bit_cast<uint64_t>(value);
  else if constexpr (std::is_same_v<Sum, float>) return type == Type::f16 ? floatToHalf(value) : std::bit_cast<uint32_t>(value);
  else return uint32_t(value);
}

template <class Sum> void unpack(const Warp& w, const Fragment& f, Sum* out) {
  for (int n = 0; n < f.rows * f.columns; ++n) out[n] = numberOf<Sum>(f.type, readElement(w, f, n));
}

// Products of the narrow formats are exact in f32; f64 takes a fused step. 64 bits hold any sum of products of bytes.
template <class Sum> Sum multiplyAdd(Sum a, Sum b, Sum c) {
  if constexpr (std::is_same_v<Sum, double>) return std::fma(a, b, c);
  else return c + a * b;
}

constexpr int mostElements = 512;  // 32 x 16, of A in the shape m32n8k16

template <class Sum> const Instruction* multiply(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "wmma.mma"); !entry.ready) return entry.otherwise;
  const Product& p = *static_cast<const Product*>(i->extra);
  Sum a[mostElements], b[mostElements], c[mostElements];
  unpack(w, p.a, a);
  unpack(w, p.b, b);
  unpack(w, p.c, c);
  const SumRounding rounding(i->flags);
  const int rows = p.a.rows, depth = p.a.columns, columns = p.b.columns, flip = int(i->flags / 2 % uint32_t(depth));
  for (int row = 0; row < rows; ++row)
    for (int step = 0; step < depth; ++step) {
      const int k = step ^ flip;
      for (int column = 0; column < columns; ++column) {
        Sum& sum = c[row * columns + column];
        sum = multiplyAdd(a[row * depth + k], b[k * columns + column], sum);
      }
    }
  for (int n = 0; n < rows * columns; ++n) {
    if constexpr (std::is_same_v<Sum, int64_t>)
      if (p.saturates) c[n] = std::clamp<int64_t>(c[n], std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    writeElement(w, p.d, n, bitsOf(p.d.type, c[n]));
  }
  return i + 1;
}

// ---- decoding ---------------------------------------------------------------------------------------------------

struct Shape {
  const char* name;
  int m, n, k;
};

// Which matrix of the product: A is m x k, B k x n, C and D m x n.
Fragment fragmentOf(const Shape& s, char matrix, Type type) {
  Fragment f{};
  f.rows = matrix == 'b' ? s.k : s.m;
  f.columns = matrix == 'a' ? s.k : s.n;
  f.type = type;
  return f;
}

void takeSlots(Decoder& decoder, const ptx::Operand& operand, bool written, Fragment& f) {
  const bool vector = operand.kind == ptx::Operand::Kind::vector;
  f.registers = vector ? uint32_t(operand.parts.size()) : 1;
  const Type type = f.bytes() == 8 ? Type::b64 : Type::b32;
  for (uint32_t r = 0; r < f.registers; ++r) {
    const ptx::Operand& part = vector ? operand.parts[r] : operand;
    f.slots[r] = written ? decoder.destination(part, type) : decoder.source(part, type);
  }
}

constexpr Shape shapes[] = {{"m16n16k16", 16, 16, 16}, {"m32n8k16", 32, 8, 16}, {"m8n32k16", 8, 32, 16}, {"m16n16k8", 16, 16, 8}, {"m8n8k4", 8, 8, 4}};

const Shape& shapeOf(const Decoder& decoder) {
  return *std::ranges::find_if(shapes, [&](const Shape& s) { return decoder.has(s.name); });
}

// r, [p] {, stride};  [p], r {, stride}
template <char matrix> void decodeTransfer(Decoder& decoder, Instruction& out) {
  Transfer& t = *decoder.table<Transfer>(1);
  t.isStore = matrix == 'd';
  t.columnMajor = decoder.has("col");
  t.fragment = fragmentOf(shapeOf(decoder), matrix, decoder.last());
  takeSlots(decoder, decoder.operand(t.isStore ? 1 : 0), !t.isStore, t.fragment);
  const AddressOperand address = decoder.address(decoder.operand(t.isStore ? 0 : 1));
  t.address = address.slot;
  t.offset = address.offset;
  t.wide = address.wide;
  t.space = decoder.has("global") ? Space::global : decoder.has("shared") || decoder.has("shared::cta") ? Space::shared : address.space;
  t.hasStride = decoder.count() > 2;
  if (t.hasStride) t.stride = decoder.source(decoder.operand(2), Type::u32);
  if (t.space == Space::shared) decoder.counted(t.isStore ? Class::sharedStore : Class::sharedLoad);
  out.extra = &t;
  out.function = transfer;
}

// d, a, b, c. `type` is that of A and B; those of D and C are the first and the last of the modifiers.
template <class Sum, Type typeA, Type typeB> void decodeProduct(Decoder& decoder, Instruction& out) {
  const Shape& s = shapeOf(decoder);
  Product& p = *decoder.table<Product>(1);
  p.a = fragmentOf(s, 'a', typeA);
  p.b = fragmentOf(s, 'b', typeB);
  p.c = fragmentOf(s, 'c', decoder.last());
  p.d = fragmentOf(s, 'd', decoder.first());
  takeSlots(decoder, decoder.operand(1), false, p.a);
  takeSlots(decoder, decoder.operand(2), false, p.b);
  takeSlots(decoder, decoder.operand(3), false, p.c);
  takeSlots(decoder, decoder.operand(0), true, p.d);
  p.saturates = decoder.has("satfinite");
  decoder.flops(2 * s.m * s.n * s.k / int(warpLanes));
  out.extra = &p;
  out.flags = requestedJitter();
  out.function = multiply<Sum>;
}

// ---- the table --------------------------------------------------------------------------------------------------

// A form of one shape and one pair of element types: how many registers its fragments have.
struct Form {
  const char* shape;
  const char* type;
  int ptx, sm;
  int a, b, accumulators;
};

class Table {
 public:
  std::vector<Entry> entries;

  void transfers(const Form& form) {
    load('a', form.type, form.a, form);
    load('b', form.type, form.b, form);
  }
  void accumulators(const Form& form) {
    load('c', form.type, form.accumulators, form);
    add("wmma.store.d.sync.aligned.{row|col}." + std::string(form.shape) + "[.global|.shared|.shared::cta]." + form.type,
        "[] " + vector(form.type, form.accumulators) + " u32?", form, Class::globalStore, decodeTransfer<'d'>);
  }
  void product(const Form& form, const std::string& types, const std::string& c, const std::string& d, Decode decode) {
    add("wmma.mma.sync.aligned.{row|col}.{row|col}." + std::string(form.shape) + "." + types, "=" + d + " " + vector(form.type, form.a) + " "
        + vector(form.type, form.b) + " " + c, form, Class::tensor, decode);
  }

  static std::string vector(const std::string& type, int count) {
    const std::string element = type == "f32" || type == "f64" || type == "s32" ? type : "b32";
    return element + "*" + std::to_string(count);
  }

 private:
  void load(char matrix, const char* type, int registers, const Form& form) {
    const Decode decode = matrix == 'a' ? decodeTransfer<'a'> : matrix == 'b' ? decodeTransfer<'b'> : decodeTransfer<'c'>;
    add("wmma.load." + std::string(1, matrix) + ".sync.aligned.{row|col}." + form.shape + "[.global|.shared|.shared::cta]." + type,
        "=" + vector(type, registers) + " [] u32?", form, Class::globalLoad, decode);
  }
  void add(std::string opcode, std::string operands, const Form& form, Class counted, Decode decode) {
    entries.push_back({keep(std::move(opcode)), keep(std::move(operands)), form.ptx, form.sm, counted, 0, decode});
  }
  // The texts of the table live as long as the program.
  static std::string_view keep(std::string text) {
    static std::vector<std::unique_ptr<std::string>> texts;
    return *texts.emplace_back(std::make_unique<std::string>(std::move(text)));
  }
};

std::vector<Entry> makeEntries() {
  Table table;
  for (const Form& f : {Form{"m16n16k16", "f16", 60, 70, 8, 8, 4}, {"m32n8k16", "f16", 61, 70, 8, 8, 4}, {"m8n32k16", "f16", 61, 70, 8, 8, 4}}) {
    Form wide = f;
    wide.type = "f32";
    wide.accumulators = 8;
    table.transfers(f);
    table.accumulators(f);
    table.accumulators(wide);
    const std::string half = Table::vector("f16", 4), single = Table::vector("f32", 8);
    table.product(f, "f16.f16", half, half, decodeProduct<float, Type::f16, Type::f16>);
    table.product(f, "f32.f16", half, single, decodeProduct<float, Type::f16, Type::f16>);
    table.product(f, "f16.f32", single, half, decodeProduct<float, Type::f16, Type::f16>);
    table.product(f, "f32.f32", single, single, decodeProduct<float, Type::f16, Type::f16>);
  }
  const std::string single = Table::vector("f32", 8), integer = Table::vector("s32", 8), wide = Table::vector("f64", 2);
  for (const Form& f : {Form{"m16n16k16", "bf16", 70, 80, 4, 4, 8}, {"m32n8k16", "bf16", 70, 80, 8, 2, 8}, {"m8n32k16", "bf16", 70, 80, 2, 8, 8}}) {
    table.transfers(f);
    table.product(f, "f32.bf16.bf16.f32", single, single, decodeProduct<float, Type::bf16, Type::bf16>);
  }
  const Form tf32{"m16n16k8", "tf32", 70, 80, 4, 4, 8};
  table.transfers(tf32);
  table.accumulators({"m16n16k8", "f32", 70, 80, 0, 0, 8});
  table.product(tf32, "f32.tf32.tf32.f32", single, single, decodeProduct<float, Type::tf32, Type::tf32>);
  for (const Form& f : {Form{"m16n16k16", "u8", 63, 72, 2, 2, 8}, {"m32n8k16", "u8", 63, 72, 4, 1, 8}, {"m8n32k16", "u8", 63, 72, 1, 4, 8}}) {
    Form signedForm = f;
    signedForm.type = "s8";
    table.transfers(f);
    table.transfers(signedForm);
    table.accumulators({f.shape, "s32", 63, 72, 0, 0, 8});
    table.product(f, "s32.u8.u8.s32[.satfinite]", integer, integer, decodeProduct<int64_t, Type::u8, Type::u8>);
    table.product(f, "s32.s8.s8.s32[.satfinite]", integer, integer, decodeProduct<int64_t, Type::s8, Type::s8>);
  }
  const Form f64{"m8n8k4", "f64", 70, 80, 1, 1, 2};
  table.transfers(f64);
  table.accumulators(f64);
  for (const char* rounding : {"f64.f64.f64.f64", "rn.f64.f64.f64.f64"})
    table.product(f64, rounding, wide, wide, decodeProduct<double, Type::f64, Type::f64>);
  return std::move(table.entries);
}

}  // namespace

std::span<const Entry> wmma() {
  static const std::vector<Entry> entries = makeEntries();
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
