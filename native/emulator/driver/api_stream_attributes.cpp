// cuStream*Attribute*: hints that the emulator keeps and does not follow
#include "driver/call.h"

#include <algorithm>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

constexpr int domains = 4;  // of memory synchronisation, on devices that have them

void setWindow(Stream& stream, const CUaccessPolicyWindow& window) {
  requireValue(window.hitRatio >= 0 && window.hitRatio <= 1, "the hit ratio is not between 0 and 1");
  requireValue(window.hitProp >= CU_ACCESS_PROPERTY_NORMAL && window.hitProp <= CU_ACCESS_PROPERTY_PERSISTING, "no such access property");
  requireValue(window.missProp == CU_ACCESS_PROPERTY_NORMAL || window.missProp == CU_ACCESS_PROPERTY_STREAMING,
               "misses are normal or streaming");
  stream.hints.window = window;
}

void setAttribute(const DeviceModel& model, Stream& stream, CUlaunchAttributeID which, const CUlaunchAttributeValue& value) {
  const int most = model.sm() >= 90 ? domains : 1;
  switch (which) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW: setWindow(stream, value.accessPolicyWindow); return;
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
      requireValue(value.syncPolicy >= CU_SYNC_POLICY_AUTO && value.syncPolicy <= CU_SYNC_POLICY_BLOCKING_SYNC, "no such way to wait");
      stream.hints.policy = value.syncPolicy;
      return;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY: stream.priority = std::clamp(value.priority, greatestPriority, 0); return;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
      requireValue(value.memSyncDomainMap.default_ < most && value.memSyncDomainMap.remote < most, "the device has fewer domains");
      stream.hints.defaultDomain = value.memSyncDomainMap.default_;
      stream.hints.remoteDomain = value.memSyncDomainMap.remote;
      return;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN:
      requireValue(value.memSyncDomain == 0 || value.memSyncDomain == 1, "the domain is the default or the remote one");
      stream.hints.domain = value.memSyncDomain;
      return;
    default: fail(CUDA_ERROR_INVALID_VALUE, "not an attribute of a stream: " + std::to_string(which));
  }
}

CUlaunchAttributeValue getAttribute(const Stream& stream, CUlaunchAttributeID which) {
  CUlaunchAttributeValue value{};
  switch (which) {
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW: value.accessPolicyWindow = stream.hints.window; break;
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY: value.syncPolicy = stream.hints.policy; break;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY: value.priority = stream.priority; break;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP: value.memSyncDomainMap = {stream.hints.defaultDomain, stream.hints.remoteDomain}; break;
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN: value.memSyncDomain = stream.hints.domain; break;
    default: fail(CUDA_ERROR_INVALID_VALUE, "not an attribute of a stream: " + std::to_string(which));
  }
  return value;
}

}  // namespace

CNN_EXPORT CUresult cuStreamGetAttribute(CUstream handle, CUlaunchAttributeID which, CUlaunchAttributeValue* value) {
  return call("cuStreamGetAttribute", [&](Call& c) {
    requirePointers(value);
    *value = getAttribute(*c.stream(handle), which);
  });
}

CNN_EXPORT CUresult cuStreamSetAttribute(CUstream handle, CUlaunchAttributeID which, const CUlaunchAttributeValue* value) {
  return call("cuStreamSetAttribute", [&](Call& c) {
    requirePointers(value);
    setAttribute(c.driver.model(), *c.stream(handle), which, *value);
  });
}

CNN_EXPORT CUresult cuStreamCopyAttributes(CUstream to, CUstream from) {
  return call("cuStreamCopyAttributes", [&](Call& c) {
    const auto target = c.stream(to), source = c.stream(from);
    requireValue(target->context == source->context, "the streams belong to different contexts");
    target->hints = source->hints;
    target->priority = source->priority;
  });
}
