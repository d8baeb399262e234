using System.Runtime.InteropServices;
using System.Text;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>What a launch may ask for beside its grid: shared memory up to all that a block can have, and clusters.</summary>
[TestFixture, NonParallelizable]
public sealed unsafe class LaunchTests
{
    private const int OwnBytes = 1024, Standard = 48 << 10;

    // *y = 40 from static shared memory + 2 from the last word of the dynamic one.
    private const string Shared = """
        .version 8.3
        .target sm_80
        .address_size 64
        .extern .shared .align 4 .b8 lent[];
        .visible .entry shared(.param .u64 y, .param .u32 bytes)
        {
            .shared .align 4 .b8 own[1024];
            .reg .b32 %r<8>;
            .reg .b64 %rd<2>;
            ld.param.u64 %rd1, [y];
            cvta.to.global.u64 %rd1, %rd1;
            ld.param.u32 %r1, [bytes];
            mov.u32 %r2, lent;
            add.u32 %r2, %r2, %r1;
            mov.u32 %r3, own;
            mov.u32 %r4, 40;
            mov.u32 %r5, 2;
            st.shared.u32 [%r3], %r4;
            st.shared.u32 [%r2+-4], %r5;
            ld.shared.u32 %r6, [%r3];
            ld.shared.u32 %r7, [%r2+-4];
            add.u32 %r6, %r6, %r7;
            st.global.u32 [%rd1], %r6;
            ret;
        }
        """;

    // y[block] = 10 * blocks of its cluster + its number in it.
    private const string Cluster = """
        .version 8.3
        .target sm_90
        .address_size 64
        .visible .entry cluster(.param .u64 y)
        {
            .reg .b32 %r<4>;
            .reg .b64 %rd<3>;
            ld.param.u64 %rd1, [y];
            cvta.to.global.u64 %rd1, %rd1;
            mov.u32 %r1, %ctaid.x;
            mul.wide.u32 %rd2, %r1, 4;
            add.s64 %rd1, %rd1, %rd2;
            mov.u32 %r2, %cluster_nctaid.x;
            mov.u32 %r3, %cluster_ctaid.x;
            mad.lo.u32 %r2, %r2, 10, %r3;
            st.global.u32 [%rd1], %r2;
            ret;
        }
        """;

    private Scene scene = null!;

    [SetUp]
    public void Open()
    {
        CudaUnderTest.Prepare();
        scene = new Scene();
    }

    [TearDown]
    public void Close() => scene.Dispose();

    /// <summary>Around the 48 KiB that need no permission, of which the kernel's own 1 KiB are a part, and up to everything.</summary>
    [TestCase(4)]
    [TestCase(Standard - OwnBytes)]
    [TestCase(Standard - OwnBytes + 4)]
    [TestCase(Standard)]
    [TestCase(Standard + 4)]
    [TestCase(-OwnBytes)]
    public void A_block_gets_all_shared_memory_that_its_own_leaves(int bytes)
    {
        if (bytes < 0) bytes += scene.Context.Device.MaxSharedBytesPerBlock;
        using var module = CudaModule.Load(scene.Context, "shared", Encoding.ASCII.GetBytes(Shared));
        var function = module.Function("shared");
        Assert.That(function.StaticSharedBytes, Is.EqualTo(OwnBytes));
        var y = scene.Memory.Pointer;
        void** arguments = stackalloc void*[] { &y, &bytes };
        function.Launch(scene.Stream, new LaunchConfiguration(1, 1, bytes), arguments);
        Assert.That(Read(1), Is.EqualTo(new[] { 42 }));
    }

    [Test]
    public void More_shared_memory_than_there_is_is_refused()
    {
        using var module = CudaModule.Load(scene.Context, "shared", Encoding.ASCII.GetBytes(Shared));
        var bytes = scene.Context.Device.MaxSharedBytesPerBlock - OwnBytes + 4;
        var error = Assert.Throws<CudaException>(() => module.Function("shared").Launch(scene.Stream, new LaunchConfiguration(1, 1, bytes), null))!;
        Assert.That(error.Message, Does.Contain("cuLaunchKernel").And.Contain("shared").And.Contain($"{bytes:N0} bytes of shared memory"));
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    public void Blocks_form_clusters(int size)
    {
        RequireClusters();
        const int blocks = 8;
        using var module = CudaModule.Load(scene.Context, "cluster", Encoding.ASCII.GetBytes(Cluster));
        var y = scene.Memory.Pointer;
        void** arguments = stackalloc void*[] { &y };
        module.Function("cluster").Launch(scene.Stream, new LaunchConfiguration(blocks, 1) { Cluster = size }, arguments);
        Assert.That(Read(blocks), Is.EqualTo(Enumerable.Range(0, blocks).Select(block => 10 * size + block % size)));
    }

    [Test]
    public void A_grid_of_broken_clusters_is_refused()
    {
        RequireClusters();
        using var module = CudaModule.Load(scene.Context, "cluster", Encoding.ASCII.GetBytes(Cluster));
        var y = scene.Memory.Pointer;
        var error = Assert.Throws<CudaException>(() =>
        {
            var pointer = y;
            void** arguments = stackalloc void*[] { &pointer };
            module.Function("cluster").Launch(scene.Stream, new LaunchConfiguration(3, 1) { Cluster = 2 }, arguments);
        })!;
        Assert.That(error.Message, Does.Contain("cuLaunchKernelEx").And.Contain("clusters of (2, 1, 1)").And.Contain("(3, 1, 1)"));
    }

    private void RequireClusters()
    {
        if (scene.Context.Device.ComputeCapability < 90) Assert.Ignore("clusters need compute capability 9.0");
    }

    private int[] Read(int count)
    {
        scene.Stream.CopyToHost(scene.Pinned, 0, scene.Memory.Pointer, Scene.Bytes);
        scene.Stream.Synchronize();
        return MemoryMarshal.Cast<byte, int>(scene.Pinned.Span(0, count * sizeof(int))).ToArray();
    }
}
