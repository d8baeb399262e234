using System.Runtime.InteropServices;

namespace CnnNative.Interop.Raw;

/// <summary>The source set of the default build: declarations of this project. <see cref="LibraryFinder"/> decides which file "cuda" is.</summary>
internal static unsafe partial class Driver
{
    [LibraryImport(Library)] public static partial CudaStatus cuInit(uint flags);
    [LibraryImport(Library)] public static partial CudaStatus cuDriverGetVersion(int* version);
    [LibraryImport(Library)] public static partial CudaStatus cuGetErrorName(CudaStatus status, byte** name);
    [LibraryImport(Library)] public static partial CudaStatus cuGetErrorString(CudaStatus status, byte** text);

    [LibraryImport(Library)] public static partial CudaStatus cuDeviceGetCount(int* count);
    [LibraryImport(Library)] public static partial CudaStatus cuDeviceGet(int* device, int ordinal);
    [LibraryImport(Library)] public static partial CudaStatus cuDeviceGetName(byte* name, int length, int device);
    [LibraryImport(Library)] public static partial CudaStatus cuDeviceGetAttribute(int* value, DeviceAttribute attribute, int device);
    [LibraryImport(Library)] public static partial CudaStatus cuDeviceTotalMem_v2(nuint* bytes, int device);

    [LibraryImport(Library)] public static partial CudaStatus cuDevicePrimaryCtxRetain(nint* context, int device);
    [LibraryImport(Library)] public static partial CudaStatus cuDevicePrimaryCtxRelease_v2(int device);
    [LibraryImport(Library)] public static partial CudaStatus cuCtxSetCurrent(nint context);
    [LibraryImport(Library)] public static partial CudaStatus cuCtxPushCurrent_v2(nint context);
    [LibraryImport(Library)] public static partial CudaStatus cuCtxPopCurrent_v2(nint* context);
    [LibraryImport(Library)] public static partial CudaStatus cuModuleUnload(nint module);
    [LibraryImport(Library)] public static partial CudaStatus cuModuleGetFunction(nint* function, nint module, byte* name);
    [LibraryImport(Library)] public static partial CudaStatus cuFuncSetAttribute(nint function, int attribute, int value);
    [LibraryImport(Library)] public static partial CudaStatus cuFuncGetAttribute(int* value, int attribute, nint function);
    [LibraryImport(Library)] public static partial CudaStatus cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, nint function, int threads, nuint sharedBytes);

    [LibraryImport(Library)] public static partial CudaStatus cuMemGetInfo_v2(nuint* free, nuint* total);
    [LibraryImport(Library)] public static partial CudaStatus cuMemAlloc_v2(ulong* address, nuint bytes);
    [LibraryImport(Library)] public static partial CudaStatus cuMemFree_v2(ulong address);
    [LibraryImport(Library)] public static partial CudaStatus cuMemAllocFromPoolAsync(ulong* address, nuint bytes, nint pool, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuMemFreeAsync(ulong address, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuMemPoolCreate(nint* pool, MemPoolProps* properties);
    [LibraryImport(Library)] public static partial CudaStatus cuMemPoolDestroy(nint pool);
    [LibraryImport(Library)] public static partial CudaStatus cuMemPoolTrimTo(nint pool, nuint bytesToKeep);
    [LibraryImport(Library)] public static partial CudaStatus cuMemPoolSetAttribute(nint pool, int attribute, void* value);
    [LibraryImport(Library)] public static partial CudaStatus cuMemHostAlloc(void** address, nuint bytes, uint flags);
    [LibraryImport(Library)] public static partial CudaStatus cuMemFreeHost(void* address);
    [LibraryImport(Library)] public static partial CudaStatus cuMemcpyHtoDAsync_v2(ulong target, void* source, nuint bytes, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuMemcpyDtoHAsync_v2(void* target, ulong source, nuint bytes, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuMemcpyDtoDAsync_v2(ulong target, ulong source, nuint bytes, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuMemsetD8Async(ulong target, byte value, nuint count, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuStreamCreate(nint* stream, uint flags);
    [LibraryImport(Library)] public static partial CudaStatus cuStreamDestroy_v2(nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuStreamSynchronize(nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuStreamWaitEvent(nint stream, nint cudaEvent, uint flags);
    [LibraryImport(Library)] public static partial CudaStatus cuStreamBeginCapture_v2(nint stream, uint mode);
    [LibraryImport(Library)] public static partial CudaStatus cuStreamEndCapture(nint stream, nint* graph);

    [LibraryImport(Library)] public static partial CudaStatus cuEventCreate(nint* cudaEvent, uint flags);
    [LibraryImport(Library)] public static partial CudaStatus cuEventDestroy_v2(nint cudaEvent);
    [LibraryImport(Library)] public static partial CudaStatus cuEventRecord(nint cudaEvent, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuEventSynchronize(nint cudaEvent);
    [LibraryImport(Library)] public static partial CudaStatus cuEventQuery(nint cudaEvent);
    [LibraryImport(Library)] public static partial CudaStatus cuEventElapsedTime(float* milliseconds, nint start, nint end);

    [LibraryImport(Library)] public static partial CudaStatus cuGraphInstantiateWithFlags(nint* executable, nint graph, ulong flags);
    [LibraryImport(Library)] public static partial CudaStatus cuGraphLaunch(nint executable, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuGraphUpload(nint executable, nint stream);
    [LibraryImport(Library)] public static partial CudaStatus cuGraphExecDestroy(nint executable);
    [LibraryImport(Library)] public static partial CudaStatus cuGraphDestroy(nint graph);
}
