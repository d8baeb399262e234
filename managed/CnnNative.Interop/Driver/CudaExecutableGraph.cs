using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>Recorded work that one call puts into a stream.</summary>
public sealed unsafe class CudaExecutableGraph : CudaObject
{
    private CudaExecutableGraph(CudaContext context) : base(context)
    {
    }

    /// <summary>Puts the whole work into a stream.</summary>
    /// <param name="stream">The stream.</param>
    public void Launch(CudaStream stream)
    {
        using var bound = stream.Bound();
        using var use = Use();
        RawDriver.cuGraphLaunch(Raw, stream.Raw).Check("cuGraphLaunch");
    }

    internal void Upload(CudaStream stream)
    {
        using var bound = stream.Bound();
        using var use = Use();
        RawDriver.cuGraphUpload(Raw, stream.Raw).Check("cuGraphUpload");
    }

    internal static CudaExecutableGraph Instantiate(CudaGraph graph)
    {
        using var use = graph.Use();
        return Make(new CudaExecutableGraph(graph.Context), "cuGraphInstantiateWithFlags", _ =>
        {
            nint raw = 0;
            return (RawDriver.cuGraphInstantiateWithFlags(&raw, graph.Raw, 0), raw);
        });
    }

    private protected override CudaStatus Free(nint handle) => RawDriver.cuGraphExecDestroy(handle);
}
