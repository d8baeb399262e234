// The seed draws the order in which the blocks of a grid start.
#include "emulated.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

using namespace cnn::test;

namespace {

constexpr unsigned blocks = 64;

// Block b writes the ticket it draws to tickets[1 + b]; tickets[0] counts.
const char* const kernel = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .entry draw(.param .u64 tickets) {
  .reg .b32 %r<4>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [tickets]; cvta.to.global.u64 %d1, %d1;
  atom.global.add.u32 %r1, [%d1], 1;
  mov.u32 %r2, %ctaid.x; mul.wide.u32 %d2, %r2, 4; add.s64 %d2, %d1, %d2;
  st.global.u32 [%d2+4], %r1;
  ret;
}
)";

std::vector<unsigned> ticketsOf(CUfunction draw, const char* seed) {
  setenv("CNN_EMULATOR_SEED", seed, 1);
  Buffer buffer(blocks + 1, 0);
  void* arguments[] = {&buffer.address};
  REQUIRE_CUDA(cuda().cuLaunchKernel(draw, blocks, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr));
  std::vector<unsigned> tickets = buffer.read();
  tickets.erase(tickets.begin());
  return tickets;
}

}  // namespace

TEST(blocks_start_in_the_order_of_the_seed) {
  // One thread runs them all, so that nothing but the seed decides.
  if (!isolated("block_order.blocks_start_in_the_order_of_the_seed", {{"CNN_EMULATOR_THREADS", "1"}})) return;
  const ContextScope context;
  CUmodule module;
  CUfunction draw;
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, kernel));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&draw, module, "draw"));
  std::vector<unsigned> plain(blocks);
  std::iota(plain.begin(), plain.end(), 0u);
  CHECK(ticketsOf(draw, "0") == plain);
  std::vector<std::vector<unsigned>> orders;
  for (const char* seed : {"1", "2", "3", "4"}) {
    const auto order = ticketsOf(draw, seed);
    CHECK(ticketsOf(draw, seed) == order);
    CHECK(std::is_permutation(order.begin(), order.end(), plain.begin()));
    CHECK(std::find(orders.begin(), orders.end(), order) == orders.end());
    orders.push_back(order);
  }
  REQUIRE_CUDA(cuda().cuModuleUnload(module));
}
