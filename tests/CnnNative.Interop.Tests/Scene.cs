using System.Text;

namespace CnnNative.Interop.Tests;

/// <summary>A context with one of everything: what a program opens, uses and closes.</summary>
internal sealed unsafe class Scene : IDisposable
{
    // y[i] += 1 for the 64 threads of one block.
    private const string Ptx = """
        .version 8.3
        .target sm_80
        .address_size 64
        .visible .entry increment(.param .u64 increment_param_0) .maxntid 64, 1, 1
        {
            .reg .b32 %r<4>;
            .reg .b64 %rd<4>;
            ld.param.u64 %rd1, [increment_param_0];
            cvta.to.global.u64 %rd1, %rd1;
            mov.u32 %r1, %tid.x;
            mul.wide.u32 %rd2, %r1, 4;
            add.s64 %rd3, %rd1, %rd2;
            ld.global.u32 %r2, [%rd3];
            add.s32 %r3, %r2, 1;
            st.global.u32 [%rd3], %r3;
            ret;
        }
        """;

    private readonly List<IDisposable> parts = [];

    /// <summary>Opens everything; when one thing fails what was opened before is closed again.</summary>
    public Scene()
    {
        try
        {
            Context = Add(CudaContext.Open(CudaDriver.Device(0)));
            Stream = Add(CudaStream.Create(Context));
            Pool = Add(CudaMemoryPool.Create(Context));
            Memory = Add(DeviceMemory.Allocate(Pool, Stream, Bytes));
            Pinned = Add(PinnedMemory.Allocate(Context, Bytes));
            Done = Add(CudaEvent.Create(Context));
            Module = Add(CudaModule.Load(Context, "increment", Encoding.ASCII.GetBytes(Ptx)));
            Increment = Module.Function("increment");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public const int Threads = 64, Bytes = Threads * sizeof(int);

    public CudaContext Context { get; }

    public CudaStream Stream { get; }

    public CudaMemoryPool Pool { get; }

    public DeviceMemory Memory { get; }

    public PinnedMemory Pinned { get; }

    public CudaEvent Done { get; }

    public CudaModule Module { get; }

    public CudaFunction Increment { get; }

    /// <summary>Puts one launch into the stream.</summary>
    public void Launch()
    {
        var pointer = Memory.Pointer;
        void** arguments = stackalloc void*[] { &pointer };
        Increment.Launch(Stream, new LaunchConfiguration(1, Threads), arguments);
    }

    /// <summary>Uses everything: fill, two launches, three more by a graph, copy back. Every element is then 5.</summary>
    public int[] Run()
    {
        Stream.Fill(Memory.Pointer, 0, Bytes);
        Launch();
        Launch();
        Done.Record(Stream);
        Done.Synchronize();
        using (var graph = Capture(() =>
        {
            Launch();
            Launch();
            Launch();
        }))
        {
            using var executable = graph.Instantiate(Stream);
            executable.Launch(Stream);
            using var other = CudaStream.Create(Context);
            other.Wait(Done);
            Stream.CopyToHost(Pinned, 0, Memory.Pointer, Bytes);
            Stream.Synchronize();
        }

        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(Pinned.Span(0, Bytes)).ToArray();
    }

    /// <summary>Closes everything, the context first: the order must not matter.</summary>
    public void Dispose()
    {
        foreach (var part in parts) part.Dispose();
        parts.Clear();
    }

    private CudaGraph Capture(Action work)
    {
        Stream.BeginCapture();
        try
        {
            work();
        }
        catch
        {
            Stream.AbandonCapture();
            throw;
        }

        return Stream.EndCapture();
    }

    private T Add<T>(T part) where T : IDisposable
    {
        parts.Add(part);
        return part;
    }
}
