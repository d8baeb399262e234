using CnnNative.Interop.Raw;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>Device memory that is taken and given back in the order of a stream, and kept by the driver in between.</summary>
public sealed unsafe class CudaMemoryPool : CudaObject
{
    private CudaMemoryPool(CudaContext context) : base(context)
    {
    }

    /// <summary>Creates a pool that keeps what it has until it is trimmed.</summary>
    /// <param name="context">Where.</param>
    /// <exception cref="CudaException">The device has no memory pools.</exception>
    public static CudaMemoryPool Create(CudaContext context)
    {
        var pool = Make(new CudaMemoryPool(context), "cuMemPoolCreate", static target =>
        {
            nint raw = 0;
            var properties = new MemPoolProps
            {
                AllocationType = MemPoolProps.Pinned, LocationType = MemPoolProps.OnDevice, LocationId = target.Context.Device.Ordinal,
            };
            return (RawDriver.cuMemPoolCreate(&raw, &properties), raw);
        });
        pool.KeepEverything();
        return pool;
    }

    /// <summary>Gives unused memory back to the system.</summary>
    public void Trim()
    {
        using var use = Use();
        Context.Bind();
        RawDriver.cuMemPoolTrimTo(Raw, 0).Check("cuMemPoolTrimTo");
    }

    private void KeepEverything()
    {
        try
        {
            var threshold = ulong.MaxValue;
            RawDriver.cuMemPoolSetAttribute(Raw, Flags.PoolReleaseThreshold, &threshold).Check("cuMemPoolSetAttribute");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private protected override CudaStatus Free(nint handle) => RawDriver.cuMemPoolDestroy(handle);
}
