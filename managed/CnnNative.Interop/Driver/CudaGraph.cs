using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>Recorded work of a stream.</summary>
public sealed unsafe class CudaGraph : CudaObject
{
    private CudaGraph(CudaContext context) : base(context)
    {
    }

    /// <summary>Number of recorded operations.</summary>
    public int NodeCount
    {
        get
        {
            using var use = Use();
            Context.Bind();
            nuint count = 0;
            RawDriver.cuGraphGetNodes(Raw, null, &count).Check("cuGraphGetNodes");
            return (int)count;
        }
    }

    /// <summary>Prepares the recorded work for launching, and brings it to the device, so that the first launch is as fast as every later one.</summary>
    /// <param name="stream">The stream of the launches.</param>
    /// <exception cref="CudaException">The driver refuses.</exception>
    public CudaExecutableGraph Instantiate(CudaStream stream)
    {
        var executable = CudaExecutableGraph.Instantiate(this);
        try
        {
            executable.Upload(stream);
            return executable;
        }
        catch
        {
            executable.Dispose();
            throw;
        }
    }

    internal static CudaGraph EndCapture(CudaStream stream)
    {
        using var use = stream.Use();
        return Make(new CudaGraph(stream.Context), "cuStreamEndCapture", _ =>
        {
            nint raw = 0;
            return (RawDriver.cuStreamEndCapture(stream.Raw, &raw), raw);
        });
    }

    private protected override CudaStatus Free(nint handle) => RawDriver.cuGraphDestroy(handle);
}
