using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>The kernels on one device: modules are compiled by the driver when the first of their kernels is launched. Thread-safe.</summary>
internal sealed unsafe partial class Kernels(CudaStream stream) : IDisposable
{
    private readonly CudaFunction?[] functions = new CudaFunction?[Entries.Length];
    private readonly Dictionary<string, CudaModule> modules = [];
    private readonly Lock gate = new();
    private bool disposed;

    /// <summary>The types of elements that kernels compute with.</summary>
    public static ReadOnlySpan<DType> Types => [DType.Float32, DType.BFloat16, DType.Float16];

    /// <summary>The kernels that run on this device.</summary>
    public IEnumerable<Kernel> Available() => Enumerable.Range(0, Entries.Length)
        .Where(kernel => Entries[kernel].Targets.Contains("sm_80", StringComparison.Ordinal) || stream.Context.Device.ComputeCapability == 90).Select(kernel => (Kernel)kernel);

    /// <summary>A loaded kernel.</summary>
    public CudaFunction Function(Kernel kernel) => functions[(int)kernel] ?? Load(kernel);

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            Array.Clear(functions);
            foreach (var module in modules.Values) module.Dispose();
            modules.Clear();
        }
    }

    /// <summary>The kernel for a type of elements.</summary>
    public static Kernel OfType(DType type, Kernel float32, Kernel bfloat16, Kernel float16) => type switch
    {
        DType.Float32 => float32,
        DType.BFloat16 => bfloat16,
        DType.Float16 => float16,
        _ => throw new EngineNotSupportedException("Native", float32.ToString(), $"data type {type}"),
    };

    private void Launch(Kernel kernel, in LaunchConfiguration launch, void** arguments) => Function(kernel).Launch(stream, launch, arguments);

    private CudaFunction Load(Kernel kernel)
    {
        var entry = Entries[(int)kernel];
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, typeof(Device));
            if (!modules.TryGetValue(entry.Module, out var module))
            {
                var (name, text) = PtxSource.Load(entry, stream.Context.Device.ComputeCapability);
                modules[entry.Module] = module = CudaModule.Load(stream.Context, name, text);
            }

            return functions[(int)kernel] ??= module.Function(entry.Name);
        }
    }
}
