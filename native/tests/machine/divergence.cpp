// Lanes that go different ways, meet again, wait for each other, leave early; blocks that share memory.
#include "kernel.h"

#include <numeric>

using namespace cnn::test;

namespace {

// A kernel over one array of 32-bit words; %r0 is the thread, %x2 the address of its word.
std::string kernel(const std::string& body) {
  return moduleText(".visible .entry k(.param .u64 data)\n{\n.reg .pred %p<9>;\n.reg .b32 %r<20>;\n.reg .b64 %x<9>;\nld.param.u64 %x0, [data];\n"
                    "mov.u32 %r0, %tid.x;\nmul.wide.u32 %x1, %r0, 4;\nadd.u64 %x2, %x0, %x1;\n" + body + "\n}");
}

std::vector<std::uint32_t> run(const std::string& body, unsigned threads = 64, std::size_t words = 64) {
  Device device;
  Program program(device, kernel(body));
  const auto data = device.zeros<std::uint32_t>(words);
  program.run("k", {1}, {threads}, 0, data);
  return device.download<std::uint32_t>(data, words);
}

}  // namespace

TEST(branch_joins) {
  // After the branch all 32 lanes vote together.
  const auto out = run("and.b32 %r1, %r0, 1;\nsetp.eq.u32 %p1, %r1, 0;\n@%p1 bra EVEN;\nmov.u32 %r2, 100;\nbra JOIN;\nEVEN:\nmov.u32 %r2, 200;\nJOIN:\n"
                       "activemask.b32 %r3;\nsetp.eq.u32 %p2, %r3, -1;\n@%p2 add.u32 %r2, %r2, 1;\nst.global.u32 [%x2], %r2;\nret;");
  for (unsigned i = 0; i < 64; ++i) CHECK_EQ(out[i], i % 2 ? 101u : 201u);
}

TEST(nested_loops_with_breaks) {
  // for i in 0..tid: for j in 0..i: { if (j == 5) break; sum += i ^ j; }
  const auto out = run("mov.u32 %r1, 0;\nmov.u32 %r5, 0;\nOUTER:\nsetp.ge.u32 %p1, %r1, %r0;\n@%p1 bra DONE;\nmov.u32 %r2, 0;\nINNER:\nsetp.ge.u32 %p2, %r2, %r1;\n@%p2 bra NEXT;\n"
                       "setp.eq.u32 %p3, %r2, 5;\n@%p3 bra NEXT;\nxor.b32 %r3, %r1, %r2;\nadd.u32 %r5, %r5, %r3;\nadd.u32 %r2, %r2, 1;\nbra INNER;\nNEXT:\nadd.u32 %r1, %r1, 1;\nbra OUTER;\n"
                       "DONE:\nst.global.u32 [%x2], %r5;\nret;");
  for (unsigned t = 0; t < 64; ++t) {
    unsigned sum = 0;
    for (unsigned i = 0; i < t; ++i)
      for (unsigned j = 0; j < i && j != 5; ++j) sum += i ^ j;
    CHECK_EQ(out[t], sum);
  }
}

TEST(early_return_then_collective) {
  // Lanes 20 and up leave; the others still meet in a shuffle that names all lanes, and at a barrier.
  const auto out = run("setp.ge.u32 %p1, %r0, 20;\n@%p1 ret;\nshfl.sync.down.b32 %r1, %r0, 1, 31, -1;\nbar.sync 0;\nst.global.u32 [%x2], %r1;\nret;", 32);
  for (unsigned i = 0; i < 19; ++i) CHECK_EQ(out[i], i + 1);
  for (unsigned i = 20; i < 32; ++i) CHECK_EQ(out[i], 0u);
}

TEST(spin_lock_between_lanes) {
  // Every lane takes the lock in word 0 and adds one to word 1.
  const auto out = run("LOOP:\natom.global.cas.b32 %r1, [%x0], 0, 1;\nsetp.ne.u32 %p1, %r1, 0;\n@%p1 bra LOOP;\nld.volatile.global.u32 %r2, [%x0+4];\nadd.u32 %r2, %r2, 1;\n"
                       "st.volatile.global.u32 [%x0+4], %r2;\nmembar.gl;\natom.global.exch.b32 %r3, [%x0], 0;\nret;", 96);
  CHECK_EQ(out[1], 96u);
}

TEST(switch_by_table) {
  const auto out = run("and.b32 %r1, %r0, 3;\nT: .branchtargets A, B, C, B;\nbrx.idx %r1, T;\nA:\nmov.u32 %r2, 10;\nbra J;\nB:\nmov.u32 %r2, 20;\nbra J;\nC:\nmov.u32 %r2, 30;\nJ:\nst.global.u32 [%x2], %r2;\nret;");
  const unsigned expected[] = {10, 20, 30, 20};
  for (unsigned i = 0; i < 64; ++i) CHECK_EQ(out[i], expected[i % 4]);
}

TEST(calls_are_copied) {
  Device device;
  Program program(device, moduleText(R"(
.func (.param .b32 r) twice(.param .b32 a)
{
  .reg .b32 %r<4>;
  .reg .pred %p;
  ld.param.u32 %r1, [a];
  setp.gt.u32 %p, %r1, 10;
  @%p bra BIG;
  add.u32 %r2, %r1, %r1;
  st.param.b32 [r], %r2;
  ret;
BIG:
  st.param.b32 [r], 7;
  ret;
}
.visible .entry k(.param .u64 data)
{
  .reg .b32 %r<4>;
  .reg .b64 %x<4>;
  ld.param.u64 %x0, [data];
  mov.u32 %r0, %tid.x;
  { .param .b32 p0; .param .b32 r0;
    st.param.b32 [p0], %r0;
    call.uni (r0), twice, (p0);
    ld.param.b32 %r1, [r0]; }
  { .param .b32 p0; .param .b32 r0;
    st.param.b32 [p0], %r1;
    call.uni (r0), twice, (p0);
    ld.param.b32 %r2, [r0]; }
  mul.wide.u32 %x1, %r0, 4;
  add.u64 %x2, %x0, %x1;
  st.global.u32 [%x2], %r2;
  ret;
})"));
  const auto data = device.zeros<std::uint32_t>(32);
  program.run("k", {1}, {32}, 0, data);
  const auto out = device.download<std::uint32_t>(data, 32);
  const auto twice = [](unsigned a) { return a > 10 ? 7u : 2 * a; };
  for (unsigned i = 0; i < 32; ++i) CHECK_EQ(out[i], twice(twice(i)));
}

TEST(long_loop_keeps_the_stack) {
  // Ten million back edges: handlers must not nest.
  const auto out = run("mov.u32 %r1, 0;\nLOOP:\nadd.u32 %r1, %r1, 1;\nsetp.lt.u32 %p1, %r1, 3000000;\n@%p1 bra LOOP;\nst.global.u32 [%x2], %r1;\nret;", 32);
  CHECK_EQ(out[0], 3000000u);
}

TEST(named_barriers_and_reductions) {
  // Warp 0 produces and arrives, warp 1 waits; then all threads count and vote.
  const auto out = run(".shared .b32 word;\nsetp.ge.u32 %p1, %r0, 32;\n@%p1 bra CONSUME;\nst.shared.u32 [word], 77;\nbar.arrive 1, 64;\nbra BOTH;\nCONSUME:\nbar.sync 1, 64;\nBOTH:\n"
                       "setp.lt.u32 %p2, %r0, 40;\nbar.red.popc.u32 %r1, 0, %p2;\nbar.red.and.pred %p3, 0, %p2;\nbar.red.or.pred %p4, 0, %p2;\nselp.u32 %r2, 1000, 0, %p3;\nselp.u32 %r3, 500, 0, %p4;\n"
                       "ld.shared.u32 %r4, [word];\nadd.u32 %r1, %r1, %r2;\nadd.u32 %r1, %r1, %r3;\nadd.u32 %r1, %r1, %r4;\nst.global.u32 [%x2], %r1;\nret;");
  for (unsigned i = 0; i < 64; ++i) CHECK_EQ(out[i], 40u + 500u + 77u);
}

TEST(warp_collectives) {
  const auto out = run("shfl.sync.bfly.b32 %r1, %r0, 1, 31, -1;\nshfl.sync.up.b32 %r2|%p1, %r0, 4, 0, -1;\nselp.u32 %r3, 1, 0, %p1;\nand.b32 %r4, %r0, 1;\nsetp.eq.u32 %p2, %r4, 0;\n"
                       "vote.sync.ballot.b32 %r5, %p2, -1;\nredux.sync.add.u32 %r6, %r4, -1;\nmatch.any.sync.b32 %r7, %r4, -1;\nmad.lo.u32 %r8, %r3, 100, %r1;\nxor.b32 %r9, %r5, %r7;\n"
                       "add.u32 %r8, %r8, %r6;\n@%p2 add.u32 %r8, %r8, %r9;\nst.global.u32 [%x2], %r8;\nret;", 32);
  for (unsigned i = 0; i < 32; ++i) CHECK_EQ(out[i], (i >= 4 ? 100u : 0u) + (i ^ 1u) + 16u);
}

TEST(grid_barrier_of_a_cooperative_launch) {
  // Every block adds to word 0 and spins until all have.
  Device device;
  Program program(device, kernel("atom.global.add.u32 %r1, [%x0], 1;\nSPIN:\nld.acquire.gpu.global.u32 %r2, [%x0];\nsetp.lt.u32 %p1, %r2, 96;\n@%p1 bra SPIN;\nst.global.u32 [%x2+4], %r2;\nret;"));
  program.cooperative = true;
  const auto data = device.zeros<std::uint32_t>(64);
  program.run("k", {3}, {32}, 0, data);
  for (const std::uint32_t word : device.download<std::uint32_t>(data + 4, 32)) CHECK_EQ(word, 96u);
}
