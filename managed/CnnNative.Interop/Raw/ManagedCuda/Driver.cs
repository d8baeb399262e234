using System.Runtime.InteropServices;
using ManagedCuda.BasicTypes;
using Native = ManagedCuda.DriverAPINativeMethods;

namespace CnnNative.Interop.Raw;

/// <summary>
/// The source set of builds with -p:CnnInterop=managedcuda: the same functions, carried out by the package ManagedCuda-12. Its
/// handles are structures of one address and its references stand for the pointers here, so that nothing is copied but names.
/// </summary>
internal static unsafe partial class Driver
{
    public static CudaStatus cuInit(uint flags) => (CudaStatus)Native.cuInit((CUInitializationFlags)flags);

    public static CudaStatus cuDriverGetVersion(int* version) => (CudaStatus)Native.cuDriverGetVersion(ref *version);

    public static CudaStatus cuGetErrorName(CudaStatus status, byte** name) =>
        (CudaStatus)Native.ErrorHandling.cuGetErrorName((CUResult)status, ref *(nint*)name);

    public static CudaStatus cuGetErrorString(CudaStatus status, byte** text) =>
        (CudaStatus)Native.ErrorHandling.cuGetErrorString((CUResult)status, ref *(nint*)text);

    public static CudaStatus cuDeviceGetCount(int* count) => (CudaStatus)Native.DeviceManagement.cuDeviceGetCount(ref *count);

    public static CudaStatus cuDeviceGet(int* device, int ordinal) => (CudaStatus)Native.DeviceManagement.cuDeviceGet(ref *(CUdevice*)device, ordinal);

    public static CudaStatus cuDeviceGetName(byte* name, int length, int device)
    {
        var text = new byte[length];
        var status = Native.DeviceManagement.cuDeviceGetName(text, length, new() { Pointer = device });
        text.CopyTo(new Span<byte>(name, length));
        return (CudaStatus)status;
    }

    public static CudaStatus cuDeviceGetAttribute(int* value, DeviceAttribute attribute, int device) =>
        (CudaStatus)Native.DeviceManagement.cuDeviceGetAttribute(ref *value, (CUDeviceAttribute)attribute, new() { Pointer = device });

    public static CudaStatus cuDeviceTotalMem_v2(nuint* bytes, int device) =>
        (CudaStatus)Native.DeviceManagement.cuDeviceTotalMem_v2(ref *(SizeT*)bytes, new() { Pointer = device });

    public static CudaStatus cuDevicePrimaryCtxRetain(nint* context, int device) =>
        (CudaStatus)Native.ContextManagement.cuDevicePrimaryCtxRetain(ref *(CUcontext*)context, new() { Pointer = device });

    public static CudaStatus cuDevicePrimaryCtxRelease_v2(int device) =>
        (CudaStatus)Native.ContextManagement.cuDevicePrimaryCtxRelease(new() { Pointer = device });

    public static CudaStatus cuCtxSetCurrent(nint context) => (CudaStatus)Native.ContextManagement.cuCtxSetCurrent(new() { Pointer = context });

    public static CudaStatus cuCtxPushCurrent_v2(nint context) => (CudaStatus)Native.ContextManagement.cuCtxPushCurrent_v2(new() { Pointer = context });

    public static CudaStatus cuCtxPopCurrent_v2(nint* context) => (CudaStatus)Native.ContextManagement.cuCtxPopCurrent_v2(ref *(CUcontext*)context);

    public static CudaStatus cuModuleUnload(nint module) => (CudaStatus)Native.ModuleManagement.cuModuleUnload(new() { Pointer = module });

    public static CudaStatus cuModuleGetFunction(nint* function, nint module, byte* name) =>
        (CudaStatus)Native.ModuleManagement.cuModuleGetFunction(ref *(CUfunction*)function, new() { Pointer = module }, Marshal.PtrToStringUTF8((nint)name));

    public static CudaStatus cuFuncSetAttribute(nint function, int attribute, int value) =>
        (CudaStatus)Native.FunctionManagement.cuFuncSetAttribute(new() { Pointer = function }, (CUFunctionAttribute)attribute, value);

    public static CudaStatus cuFuncGetAttribute(int* value, int attribute, nint function) =>
        (CudaStatus)Native.FunctionManagement.cuFuncGetAttribute(ref *value, (CUFunctionAttribute)attribute, new() { Pointer = function });

    public static CudaStatus cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, nint function, int threads, nuint sharedBytes) =>
        (CudaStatus)Native.Occupancy.cuOccupancyMaxActiveBlocksPerMultiprocessor(ref *blocks, new() { Pointer = function }, threads, sharedBytes);

    public static CudaStatus cuMemGetInfo_v2(nuint* free, nuint* total) =>
        (CudaStatus)Native.MemoryManagement.cuMemGetInfo_v2(ref *(SizeT*)free, ref *(SizeT*)total);

    public static CudaStatus cuMemAlloc_v2(ulong* address, nuint bytes) =>
        (CudaStatus)Native.MemoryManagement.cuMemAlloc_v2(ref *(CUdeviceptr*)address, bytes);

    public static CudaStatus cuMemFree_v2(ulong address) => (CudaStatus)Native.MemoryManagement.cuMemFree_v2(new(address));

    public static CudaStatus cuMemAllocFromPoolAsync(ulong* address, nuint bytes, nint pool, nint stream) =>
        (CudaStatus)Native.MemoryManagement.cuMemAllocFromPoolAsync(
            ref *(CUdeviceptr*)address, bytes, new() { Pointer = pool }, new() { Pointer = stream });

    public static CudaStatus cuMemFreeAsync(ulong address, nint stream) =>
        (CudaStatus)Native.MemoryManagement.cuMemFreeAsync(new(address), new() { Pointer = stream });

    public static CudaStatus cuMemPoolCreate(nint* pool, MemPoolProps* properties) =>
        (CudaStatus)Native.MemoryManagement.cuMemPoolCreate(ref *(CUmemoryPool*)pool, ref *(CUmemPoolProps*)properties);

    public static CudaStatus cuMemPoolDestroy(nint pool) => (CudaStatus)Native.MemoryManagement.cuMemPoolDestroy(new() { Pointer = pool });

    public static CudaStatus cuMemPoolTrimTo(nint pool, nuint bytesToKeep) =>
        (CudaStatus)Native.MemoryManagement.cuMemPoolTrimTo(new() { Pointer = pool }, bytesToKeep);

    // A reference to 64 bits serves for attributes of 32 bits as well: the driver gets the address alone.
    public static CudaStatus cuMemPoolSetAttribute(nint pool, int attribute, void* value) =>
        (CudaStatus)Native.MemoryManagement.cuMemPoolSetAttribute(new() { Pointer = pool }, (CUmemPool_attribute)attribute, ref *(ulong*)value);

    public static CudaStatus cuMemHostAlloc(void** address, nuint bytes, uint flags) =>
        (CudaStatus)Native.MemoryManagement.cuMemHostAlloc(ref *(nint*)address, bytes, (CUMemHostAllocFlags)flags);

    public static CudaStatus cuMemFreeHost(void* address) => (CudaStatus)Native.MemoryManagement.cuMemFreeHost((nint)address);

    public static CudaStatus cuMemcpyHtoDAsync_v2(ulong target, void* source, nuint bytes, nint stream) =>
        (CudaStatus)Native.AsynchronousMemcpy_v2.cuMemcpyHtoDAsync_v2(new(target), (nint)source, bytes, new() { Pointer = stream });

    public static CudaStatus cuMemcpyDtoHAsync_v2(void* target, ulong source, nuint bytes, nint stream) =>
        (CudaStatus)Native.AsynchronousMemcpy_v2.cuMemcpyDtoHAsync_v2((nint)target, new(source), bytes, new() { Pointer = stream });

    public static CudaStatus cuMemcpyDtoDAsync_v2(ulong target, ulong source, nuint bytes, nint stream) =>
        (CudaStatus)Native.AsynchronousMemcpy_v2.cuMemcpyDtoDAsync_v2(new(target), new(source), bytes, new() { Pointer = stream });

    public static CudaStatus cuMemsetD8Async(ulong target, byte value, nuint count, nint stream) =>
        (CudaStatus)Native.MemsetAsync.cuMemsetD8Async(new(target), value, count, new() { Pointer = stream });

    public static CudaStatus cuStreamCreate(nint* stream, uint flags) =>
        (CudaStatus)Native.Streams.cuStreamCreate(ref *(CUstream*)stream, (CUStreamFlags)flags);

    public static CudaStatus cuStreamDestroy_v2(nint stream) => (CudaStatus)Native.Streams.cuStreamDestroy_v2(new() { Pointer = stream });

    public static CudaStatus cuStreamSynchronize(nint stream) => (CudaStatus)Native.Streams.cuStreamSynchronize(new() { Pointer = stream });

    public static CudaStatus cuStreamWaitEvent(nint stream, nint cudaEvent, uint flags) =>
        (CudaStatus)Native.Streams.cuStreamWaitEvent(new() { Pointer = stream }, new() { Pointer = cudaEvent }, flags);

    public static CudaStatus cuStreamBeginCapture_v2(nint stream, uint mode) =>
        (CudaStatus)Native.Streams.cuStreamBeginCapture(new() { Pointer = stream }, (CUstreamCaptureMode)mode);

    public static CudaStatus cuStreamEndCapture(nint stream, nint* graph) =>
        (CudaStatus)Native.Streams.cuStreamEndCapture(new() { Pointer = stream }, ref *(CUgraph*)graph);

    public static CudaStatus cuEventCreate(nint* cudaEvent, uint flags) =>
        (CudaStatus)Native.Events.cuEventCreate(ref *(CUevent*)cudaEvent, (CUEventFlags)flags);

    public static CudaStatus cuEventDestroy_v2(nint cudaEvent) => (CudaStatus)Native.Events.cuEventDestroy_v2(new() { Pointer = cudaEvent });

    public static CudaStatus cuEventRecord(nint cudaEvent, nint stream) =>
        (CudaStatus)Native.Events.cuEventRecord(new() { Pointer = cudaEvent }, new() { Pointer = stream });

    public static CudaStatus cuEventSynchronize(nint cudaEvent) => (CudaStatus)Native.Events.cuEventSynchronize(new() { Pointer = cudaEvent });

    public static CudaStatus cuEventQuery(nint cudaEvent) => (CudaStatus)Native.Events.cuEventQuery(new() { Pointer = cudaEvent });

    public static CudaStatus cuEventElapsedTime(float* milliseconds, nint start, nint end) =>
        (CudaStatus)Native.Events.cuEventElapsedTime(ref *milliseconds, new() { Pointer = start }, new() { Pointer = end });

    public static CudaStatus cuGraphInstantiateWithFlags(nint* executable, nint graph, ulong flags) =>
        (CudaStatus)Native.GraphManagment.cuGraphInstantiate(ref *(CUgraphExec*)executable, new() { Pointer = graph }, (CUgraphInstantiate_flags)flags);

    public static CudaStatus cuGraphLaunch(nint executable, nint stream) =>
        (CudaStatus)Native.GraphManagment.cuGraphLaunch(new() { Pointer = executable }, new() { Pointer = stream });

    public static CudaStatus cuGraphUpload(nint executable, nint stream) =>
        (CudaStatus)Native.GraphManagment.cuGraphUpload(new() { Pointer = executable }, new() { Pointer = stream });

    public static CudaStatus cuGraphExecDestroy(nint executable) => (CudaStatus)Native.GraphManagment.cuGraphExecDestroy(new() { Pointer = executable });

    public static CudaStatus cuGraphDestroy(nint graph) => (CudaStatus)Native.GraphManagment.cuGraphDestroy(new() { Pointer = graph });
}
