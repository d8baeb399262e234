using CnnNative.Interop.Raw;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop;

/// <summary>A kernel of a loaded module.</summary>
public sealed unsafe class CudaFunction
{
    private readonly CudaModule module;
    private readonly nint raw;

    internal CudaFunction(CudaModule module, string name, nint raw)
    {
        this.module = module;
        this.raw = raw;
        Name = name;
        AllowShared();
    }

    /// <summary>Its name in the PTX.</summary>
    public string Name { get; }

    /// <summary>What the compiler said of its module; may be empty.</summary>
    public string CompilerLog => module.Log;

    /// <summary>Registers per thread.</summary>
    public int Registers => Attribute(Flags.FunctionRegisters);

    /// <summary>Local memory per thread in bytes; more than 0 where registers were spilled.</summary>
    public int LocalBytes => Attribute(Flags.FunctionLocalBytes);

    /// <summary>Static shared memory per block in bytes.</summary>
    public int StaticSharedBytes => Attribute(Flags.FunctionSharedBytes);

    /// <summary>
    /// Puts a launch into a stream. Allocates nothing. The caller holds the memory that the arguments point to until this returns;
    /// giving it back in the order of the same stream is safe from then on.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="configuration">Grid, block, shared memory.</param>
    /// <param name="arguments">The address of each argument, in the order of the kernel's parameters.</param>
    /// <exception cref="CudaException">The driver refuses the launch, or an earlier kernel failed.</exception>
    public void Launch(CudaStream stream, in LaunchConfiguration configuration, void** arguments)
    {
        using var bound = stream.Bound();
        using var use = module.Use();
        var status = configuration.Cluster is { } cluster
            ? LaunchCluster(stream, configuration, cluster, arguments)
            : RawDriver.cuLaunchKernel(
                raw, (uint)configuration.Grid.X, (uint)configuration.Grid.Y, (uint)configuration.Grid.Z, (uint)configuration.Block.X,
                (uint)configuration.Block.Y, (uint)configuration.Block.Z, (uint)configuration.SharedBytes, stream.Raw, arguments, null);
        if (status != CudaStatus.Success) Refuse(status, configuration);
    }

    /// <summary>How many blocks run on one multiprocessor at a time.</summary>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    public int BlocksPerMultiprocessor(int threads, int sharedBytes)
    {
        using var use = module.Use();
        module.Context.Bind();
        var blocks = 0;
        RawDriver.cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, raw, threads, (nuint)sharedBytes).Check("cuOccupancyMaxActiveBlocksPerMultiprocessor");
        return blocks;
    }

    private CudaStatus LaunchCluster(CudaStream stream, in LaunchConfiguration configuration, Dim3 cluster, void** arguments)
    {
        var attribute = new LaunchAttribute
        {
            Id = LaunchAttribute.ClusterDimension, X = (uint)cluster.X, Y = (uint)cluster.Y, Z = (uint)cluster.Z,
        };
        var launch = new LaunchConfig
        {
            GridX = (uint)configuration.Grid.X, GridY = (uint)configuration.Grid.Y, GridZ = (uint)configuration.Grid.Z,
            BlockX = (uint)configuration.Block.X, BlockY = (uint)configuration.Block.Y, BlockZ = (uint)configuration.Block.Z,
            SharedBytes = (uint)configuration.SharedBytes, Stream = stream.Raw, Attributes = &attribute, AttributeCount = 1,
        };
        return RawDriver.cuLaunchKernelEx(&launch, raw, arguments, null);
    }

    /// <summary>
    /// A block gets 48 KiB of shared memory, static and dynamic together, unless more is allowed. All that the device has is allowed, and once, before
    /// anybody can launch: a launch then needs neither a check nor a lock, and the driver refuses what is too much. It reserves nothing.
    /// </summary>
    private void AllowShared()
    {
        var bytes = module.Context.Device.MaxSharedBytesPerBlock - StaticSharedBytes;
        RawDriver.cuFuncSetAttribute(raw, Flags.MaxDynamicSharedBytes, bytes).Check("cuFuncSetAttribute", () => $"{bytes:N0} bytes of shared memory for {Name}");
    }

    private int Attribute(int attribute)
    {
        using var use = module.Use();
        module.Context.Bind();
        var value = 0;
        RawDriver.cuFuncGetAttribute(&value, attribute, raw).Check("cuFuncGetAttribute");
        return value;
    }

    private void Refuse(CudaStatus status, in LaunchConfiguration configuration) => Status.Throw(
        configuration.Cluster is null ? "cuLaunchKernel" : "cuLaunchKernelEx", status,
        $"{Name} with grid {configuration.Grid}, block {configuration.Block}, {configuration.SharedBytes:N0} bytes of shared memory"
        + (configuration.Cluster is { } cluster ? $", clusters of {cluster}" : ""));
}
