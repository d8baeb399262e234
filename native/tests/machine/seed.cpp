// The seed draws the order of warps: the same one the same order, another one another order.
#include "kernel.h"
#include "variable.h"

using namespace cnn::test;

namespace {

// The first thread of every warp takes a ticket.
const char* const kernel = R"(
.global .u32 tickets;
.visible .entry k(.param .u64 out)
{
.reg .pred %p; .reg .b32 %t, %block, %warp, %lane, %ticket; .reg .b64 %out, %at;
mov.u32 %t, %tid.x; and.b32 %lane, %t, 31; setp.ne.u32 %p, %lane, 0; @%p bra END;
mov.u32 %block, %ctaid.x; mov.u32 %warp, %ntid.x; mad.lo.u32 %warp, %block, %warp, %t; shr.u32 %warp, %warp, 5;
mov.u64 %at, tickets; atom.global.add.u32 %ticket, [%at], 1;
ld.param.u64 %out, [out]; mad.wide.u32 %out, %warp, 4, %out; st.global.u32 [%out], %ticket;
END: ret;
}
)";

constexpr unsigned warps = 32;

// The tickets of `warps` warps in a cluster of so many blocks; one host thread runs a cluster.
std::vector<std::uint32_t> order(unsigned seed, unsigned blocks) {
  const Variable variable("CNN_EMULATOR_SEED", std::to_string(seed));
  Device device;
  Program program(device, moduleText(kernel));
  program.cluster = {blocks, 1, 1};
  const auto out = device.zeros<std::uint32_t>(warps);
  program.run("k", {blocks}, {32 * warps / blocks}, 0, out);
  return device.download<std::uint32_t>(out, warps);
}

void checkOrders(unsigned blocks) {
  for (const unsigned seed : {1u, 2u, 77u}) CHECK(order(seed, blocks) == order(seed, blocks));
  CHECK(order(1, blocks) != order(2, blocks));
  CHECK(order(2, blocks) != order(77, blocks));
}

}  // namespace

TEST(warps_of_a_block) { checkOrders(1); }

TEST(blocks_of_a_cluster) { checkOrders(8); }

TEST(no_seed_is_the_plain_order) {
  const auto tickets = order(0, 1);
  for (std::uint32_t warp = 0; warp < warps; ++warp) CHECK_EQ(tickets[warp], warp);
}
