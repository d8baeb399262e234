using CnnNative.Cli.Output;

namespace CnnNative.Cli.Bench;

/// <summary>A data type and a layout of images in which kernels are measured.</summary>
/// <param name="Name">What the option calls it.</param>
/// <param name="Arithmetic">What operands are stored as and rounded to.</param>
/// <param name="Layout">The layout.</param>
/// <param name="IsUsual">Whether it is the layout in which a type is used most; in the other one only images are measured.</param>
internal sealed record Variant(string Name, Arithmetic Arithmetic, Layout Layout, bool IsUsual)
{
    /// <summary>All of them, the usual ones first: Float32 in NCHW, 16 bits in NHWC.</summary>
    public static IReadOnlyList<Variant> All { get; } =
    [
        new("float32", new(DType.Float32), Layout.Nchw, true),
        new("bfloat16", new(DType.BFloat16), Layout.Nhwc, true),
        new("float16", new(DType.Float16), Layout.Nhwc, true),
        new("tf32", new(DType.Float32, IsTf32: true), Layout.Nhwc, false),
        new("float32-nhwc", new(DType.Float32), Layout.Nhwc, false),
        new("bfloat16-nchw", new(DType.BFloat16), Layout.Nchw, false),
        new("float16-nchw", new(DType.Float16), Layout.Nchw, false),
    ];

    /// <summary>What stands behind the names of its workloads; peers know them by it.</summary>
    public string Suffix
    {
        get
        {
            if (Arithmetic.IsTf32) return ", tf32";
            var type = Arithmetic.Type == DType.Float32 ? "" : $", {Words.Of(Arithmetic.Type)}";
            return IsUsual ? type : $"{type}, {(Layout == Layout.Nhwc ? "NHWC" : "NCHW")}";
        }
    }
}
