using BenchmarkDotNet.Attributes;
using CnnNative.Interop;

namespace CnnNative.Benchmarks;

/// <summary>
/// What one launch costs on the managed side. Run it against the driver that does nothing:
/// CNN_CUDA_DRIVER=build/native/tests/libcuda_idle.so.1 dotnet run -c Release --project bench/CnnNative.Benchmarks -- --filter *Launch*
/// </summary>
[MemoryDiagnoser]
public unsafe class LaunchBenchmarks
{
    private CudaContext? context;
    private CudaStream? stream;
    private CudaModule? module;
    private CudaFunction? function;

    [GlobalSetup]
    public void Open()
    {
        context = CudaContext.Open(CudaDriver.Device(0));
        stream = CudaStream.Create(context);
        module = CudaModule.Load(context, "nothing", ".version 8.3\n.target sm_80\n.address_size 64\n.visible .entry nothing(.param .u64 a, .param .u64 b, .param .u32 n)\n{\n ret;\n}\n"u8);
        function = module.Function("nothing");
    }

    [GlobalCleanup]
    public void Close()
    {
        module?.Dispose();
        stream?.Dispose();
        context?.Dispose();
    }

    [Benchmark]
    public void Launch()
    {
        DevicePointer a = default, b = default;
        var n = 7;
        void** arguments = stackalloc void*[] { &a, &b, &n };
        function!.Launch(stream!, new LaunchConfiguration(1, 32), arguments);
    }
}
