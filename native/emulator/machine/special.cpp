#include "machine/special.h"

#include <charconv>
#include <unordered_map>

namespace cnn::emu {
namespace {

// %envreg0 to 31 belong to the driver. The cooperative groups of CUDA find the workspace of their grid in two of them.
std::optional<SpecialInfo> environmentRegister(std::string_view digits) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number > 31) return {};
  const Special special = number == 1 ? Special::workspaceHigh : number == 2 ? Special::workspaceLow : Special::environment;
  return SpecialInfo{special, 32, 21, 20};
}

}  // namespace

std::optional<SpecialInfo> specialNamed(std::string_view name) {
  using S = Special;
  static const std::unordered_map<std::string_view, SpecialInfo> table = {
      {"%tid.x", {S::tidX, 32}}, {"%tid.y", {S::tidY, 32}}, {"%tid.z", {S::tidZ, 32}},
      {"%ntid.x", {S::ntidX, 32}}, {"%ntid.y", {S::ntidY, 32}}, {"%ntid.z", {S::ntidZ, 32}},
      {"%ctaid.x", {S::ctaidX, 32}}, {"%ctaid.y", {S::ctaidY, 32}}, {"%ctaid.z", {S::ctaidZ, 32}},
      {"%nctaid.x", {S::nctaidX, 32}}, {"%nctaid.y", {S::nctaidY, 32}}, {"%nctaid.z", {S::nctaidZ, 32}},
      {"%laneid", {S::laneId, 32}}, {"%warpid", {S::warpId, 32}}, {"%nwarpid", {S::nwarpId, 32}},
      {"%smid", {S::smId, 32}}, {"%nsmid", {S::nsmId, 32}}, {"%gridid", {S::gridId, 64}},
      {"%lanemask_eq", {S::laneMaskEq, 32}}, {"%lanemask_le", {S::laneMaskLe, 32}}, {"%lanemask_lt", {S::laneMaskLt, 32}},
      {"%lanemask_ge", {S::laneMaskGe, 32}}, {"%lanemask_gt", {S::laneMaskGt, 32}},
      {"%dynamic_smem_size", {S::dynamicShared, 32, 41, 20}}, {"%total_smem_size", {S::totalShared, 32, 41, 20}},
      {"%aggr_smem_size", {S::aggregateShared, 32, 81, 90}},
      {"%clusterid.x", {S::clusterIdX, 32, 78, 90}}, {"%clusterid.y", {S::clusterIdY, 32, 78, 90}}, {"%clusterid.z", {S::clusterIdZ, 32, 78, 90}},
      {"%nclusterid.x", {S::nclusterIdX, 32, 78, 90}}, {"%nclusterid.y", {S::nclusterIdY, 32, 78, 90}},
      {"%nclusterid.z", {S::nclusterIdZ, 32, 78, 90}},
      {"%cluster_ctaid.x", {S::clusterCtaidX, 32, 78, 90}}, {"%cluster_ctaid.y", {S::clusterCtaidY, 32, 78, 90}},
      {"%cluster_ctaid.z", {S::clusterCtaidZ, 32, 78, 90}},
      {"%cluster_nctaid.x", {S::clusterNctaidX, 32, 78, 90}}, {"%cluster_nctaid.y", {S::clusterNctaidY, 32, 78, 90}},
      {"%cluster_nctaid.z", {S::clusterNctaidZ, 32, 78, 90}},
      {"%cluster_ctarank", {S::clusterRank, 32, 78, 90}}, {"%cluster_nctarank", {S::clusterNctaRank, 32, 78, 90}},
      {"%is_explicit_cluster", {S::explicitCluster, 32, 78, 90}},
      {"%clock", {S::clock, 32}}, {"%clock_hi", {S::clockHi, 32, 50, 20}}, {"%clock64", {S::clock64, 64}},
      {"%globaltimer", {S::globalTimer, 64}}, {"%globaltimer_lo", {S::globalTimerLo, 32}},
      {"%globaltimer_hi", {S::globalTimerHi, 32}},
      {"%current_graph_exec", {S::environment, 64, 80, 50}},  // of a graph that the device itself launched: there is none
  };
  if (name.starts_with("%envreg")) return environmentRegister(name.substr(7));
  const auto found = table.find(name);
  if (found == table.end()) return {};
  return found->second;
}

}  // namespace cnn::emu
