using CnnNative.Cli.Output;

namespace CnnNative.Cli.Bench;

/// <summary>What operands are stored as, and whether matrix units round Float32 to tf32.</summary>
/// <param name="Type">The data type.</param>
/// <param name="IsTf32">Whether Float32 is rounded.</param>
internal readonly record struct Arithmetic(DType Type, bool IsTf32 = false)
{
    /// <summary>Its name in reports.</summary>
    public string Name => IsTf32 ? "tf32" : Words.Of(Type);
}
