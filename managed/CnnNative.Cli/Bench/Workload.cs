namespace CnnNative.Cli.Bench;

/// <summary>Something that is measured: what it must move and compute at least, and how it is set up.</summary>
/// <param name="Name">Shape, pass and what <see cref="Variant.Suffix"/> adds; peers know the workload by it.</param>
/// <param name="Bytes">Bytes that must be read and written.</param>
/// <param name="Operations">Floating-point operations, a multiply-add counted as two.</param>
/// <param name="Arithmetic">What the operands are stored as, and rounded to.</param>
/// <param name="Prepare">Makes one set of tensors and the work on them.</param>
internal sealed record Workload(string Name, double Bytes, double Operations, Arithmetic Arithmetic, Func<Device, WorkloadRun> Prepare);

/// <summary>One set of tensors, and the work on them.</summary>
internal sealed class WorkloadRun(Tensor result, Action once, params Tensor[] others) : IDisposable
{
    /// <summary>Whether the work reads what it overwrites, so that it cannot be poisoned before.</summary>
    public bool IsInPlace { get; init; }

    /// <summary>What the work writes.</summary>
    public Tensor Result => result;

    /// <summary>Fills the result with NaN, which nothing but the work removes.</summary>
    public void Poison()
    {
        if (!IsInPlace) result.Device.Engine.Elementwise.Fill(result, float.NaN);
    }

    /// <summary>Does the work once.</summary>
    public void Once() => once();

    public void Dispose()
    {
        result.Dispose();
        foreach (var tensor in others) tensor.Dispose();
    }
}
