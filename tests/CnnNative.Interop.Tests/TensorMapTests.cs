using System.Runtime.InteropServices;
using System.Text;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>Tensor maps: what the copy engine brings when a kernel asks with one, and what is refused.</summary>
[TestFixture, NonParallelizable]
public sealed unsafe class TensorMapTests
{
    private const int Width = 12, Height = 5, Channels = 4, BoxWidth = 8, BoxHeight = 3;

    private CudaContext context = null!;
    private CudaStream stream = null!;
    private DeviceMemory source = null!, target = null!;
    private PinnedMemory pinned = null!;

    [SetUp]
    public void Open()
    {
        CudaUnderTest.Prepare();
        context = CudaContext.Open(CudaDriver.Device(0));
        if (context.Device.ComputeCapability < 90) Assert.Ignore("tensor maps need compute capability 9.0");
        stream = CudaStream.Create(context);
        const int bytes = Width * Height * Channels * sizeof(float);
        (source, target) = (DeviceMemory.Allocate(context, bytes), DeviceMemory.Allocate(context, bytes));
        pinned = PinnedMemory.Allocate(context, bytes);
        Enumerable.Range(1, Width * Height * Channels).Select(i => (float)i).ToArray().CopyTo(Values);
        stream.CopyToDevice(source.Pointer, pinned, 0, bytes);
    }

    [TearDown]
    public void Close()
    {
        source?.Dispose();
        target?.Dispose();
        pinned?.Dispose();
        stream?.Dispose();
        context.Dispose();
    }

    [TestCase(0, 0)]
    [TestCase(3, 2)]
    [TestCase(-2, -1)]
    [TestCase(9, 4)]
    public void A_box_comes_with_zeros_outside(int x, int y)
    {
        var map = Tiled(new() { Promotion = TensorMapPromotion.Bytes128 });
        var brought = Load("tiled", map, x, y, BoxWidth * BoxHeight);
        var expected = from row in Enumerable.Range(y, BoxHeight)
                       from column in Enumerable.Range(x, BoxWidth)
                       select row is >= 0 and < Height && column is >= 0 and < Width ? row * Width + column + 1f : 0f;
        Assert.That(brought, Is.EqualTo(expected));
    }

    [Test]
    public void Steps_take_every_second_element()
    {
        ReadOnlySpan<ulong> sizes = [Width, Height], strides = [Width * sizeof(float)];
        var map = TensorMap.Tiled(context, new(source.Pointer, TensorMapType.Float32, sizes, strides, [1, 2]), [BoxWidth, BoxHeight]);
        // A box of three rows, of which every second is taken, brings two.
        var brought = Load("tiled", map, 0, 0, BoxWidth * 2);
        Assert.That(brought, Is.EqualTo(Enumerable.Range(0, 2).SelectMany(row => Enumerable.Range(0, BoxWidth).Select(column => 2 * row * Width + column + 1f))));
    }

    // Images (1, 4 channels, 5 high, 12 wide) in NHWC under a filter of 3 x 3 with padding 1: pixels one after the other, shifted by the tap.
    [TestCase(0, 0)]
    [TestCase(2, 1)]
    public void Pixels_come_as_a_convolution_reads_them(int s, int r)
    {
        ReadOnlySpan<ulong> sizes = [Channels, Width, Height, 1];
        ReadOnlySpan<ulong> strides = [Channels * sizeof(float), Channels * Width * sizeof(float), Channels * Width * Height * sizeof(float)];
        const int pixels = 16;
        var map = TensorMap.Im2col(context, new(source.Pointer, TensorMapType.Float32, sizes, strides), [-1, -1], [-1, -1], Channels, pixels);
        var brought = Load("im2col", map, s, r, pixels * Channels);
        var expected = from pixel in Enumerable.Range(0, pixels)
                       let row = pixel / Width + r - 1
                       let column = pixel % Width + s - 1
                       from channel in Enumerable.Range(0, Channels)
                       select row >= 0 && column is >= 0 and < Width ? (row * Width + column) * Channels + channel + 1f : 0f;
        Assert.That(brought, Is.EqualTo(expected));
    }

    [Test]
    public void What_the_driver_refuses_is_told_with_its_values()
    {
        var error = Assert.Throws<CudaException>(() => Tiled(default, address: source.Pointer.Plus(4)))!;
        Assert.That(error.Status, Is.EqualTo(CudaStatus.InvalidValue));
        Assert.That(error.Message, Does.Contain("cuTensorMapEncodeTiled").And.Contain("Float32 (12, 5)").And.Contain("box (8, 3)"));
        Assert.That(
            () => TensorMap.Im2col(context, new(source.Pointer, TensorMapType.Float32, [Channels, Width, 1], [16, 192]), [0], [0], 1, 2000),
            Throws.TypeOf<CudaException>().With.Message.Contains("1 channels of 2000 pixels"));
    }

    [Test]
    public void Dimensions_that_do_not_agree_are_refused()
    {
        Assert.That(() => TensorMap.Tiled(context, new(source.Pointer, TensorMapType.Float32, [], []), []), Throws.ArgumentException);
        Assert.That(() => TensorMap.Tiled(context, new(source.Pointer, TensorMapType.Float32, [4, 4], []), [4, 4]), Throws.ArgumentException);
        Assert.That(() => TensorMap.Tiled(context, new(source.Pointer, TensorMapType.Float32, [4, 4], [16]), [4]), Throws.ArgumentException);
        Assert.That(() => TensorMap.Tiled(context, new(source.Pointer, TensorMapType.Float32, [4, 4], [16], [1]), [4, 4]), Throws.ArgumentException);
        Assert.That(() => TensorMap.Im2col(context, new(source.Pointer, TensorMapType.Float32, [4, 4, 4], [16, 64]), [0, 0], [0], 4, 4), Throws.ArgumentException);
    }

    private Span<float> Values => MemoryMarshal.Cast<byte, float>(pinned.Span(0, (int)pinned.Bytes));

    private TensorMap Tiled(TensorMapOptions options, DevicePointer? address = null) => TensorMap.Tiled(
        context, new(address ?? source.Pointer, TensorMapType.Float32, [Width, Height], [Width * sizeof(float)]), [BoxWidth, BoxHeight], options);

    /// <summary>Runs a kernel of one block that brings a box of `count` floats to shared memory and writes them out.</summary>
    private float[] Load(string kernel, TensorMap map, int x, int y, int count)
    {
        using var module = CudaModule.Load(context, kernel, Encoding.ASCII.GetBytes(Ptx(kernel)));
        var to = target.Pointer;
        void** arguments = stackalloc void*[] { &map, &to, &x, &y, &count };
        module.Function(kernel).Launch(stream, new(1, 64), arguments);
        stream.CopyToHost(pinned, 0, target.Pointer, count * sizeof(float));
        stream.Synchronize();
        return Values[..count].ToArray();
    }

    private static string Ptx(string kernel) => $$"""
        .version 8.0
        .target sm_90
        .address_size 64
        .visible .entry {{kernel}}(.param .align 64 .b8 map[128], .param .u64 to, .param .u32 x, .param .u32 y, .param .u32 count) .maxntid 64, 1, 1
        {
            .shared .align 128 .b8 box[256];
            .shared .align 8 .b64 arrived;
            .reg .pred %p<4>;
            .reg .b16 %h<3>;
            .reg .b32 %r<10>;
            .reg .b64 %rd<8>;
            mov.u32 %r1, %tid.x;
            mov.u32 %r2, box;
            mov.u32 %r3, arrived;
            ld.param.u32 %r4, [x];
            ld.param.u32 %r5, [y];
            ld.param.u32 %r6, [count];
            mov.b64 %rd1, map;
            cvta.param.u64 %rd1, %rd1;
            setp.ne.u32 %p1, %r1, 0;
            @%p1 bra WAIT;
            mbarrier.init.shared::cta.b64 [%r3], 1;
            fence.mbarrier_init.release.cluster;
            shl.b32 %r7, %r6, 2;
            mbarrier.arrive.expect_tx.shared::cta.b64 %rd2, [%r3], %r7;
            cvt.u16.u32 %h1, %r4;
            cvt.u16.u32 %h2, %r5;
            mov.u32 %r8, 0;
            mov.u32 %r9, -1;
            {{(kernel == "tiled"
                ? "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%rd1, {%r4, %r5}], [%r3];"
                : "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%r2], [%rd1, {%r8, %r9, %r9, %r8}], [%r3], {%h1, %h2};")}}
        WAIT:
            bar.sync 0;
        AGAIN:
            mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r3], 0;
            @!%p2 bra AGAIN;
            setp.ge.u32 %p3, %r1, %r6;
            @%p3 bra DONE;
            shl.b32 %r7, %r1, 2;
            add.u32 %r2, %r2, %r7;
            ld.shared.b32 %r8, [%r2];
            ld.param.u64 %rd3, [to];
            cvta.to.global.u64 %rd3, %rd3;
            mul.wide.u32 %rd4, %r1, 4;
            add.s64 %rd3, %rd3, %rd4;
            st.global.b32 [%rd3], %r8;
        DONE:
            ret;
        }
        """;
}
