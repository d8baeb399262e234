using System.Runtime.InteropServices;

namespace CnnNative.Interop.Tests;

/// <summary>The one call that only tests make: forget the primary context, whoever still holds it.</summary>
internal static unsafe class PrimaryContext
{
    public static CudaStatus Reset()
    {
        var reset = (delegate* unmanaged<int, CudaStatus>)NativeLibrary.GetExport(CudaDriver.Search.Handle, "cuDevicePrimaryCtxReset_v2");
        return reset(CudaDriver.Device(0).Handle);
    }
}
