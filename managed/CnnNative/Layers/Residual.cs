using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>A residual connection, y = body(x) + shortcut(x) (He et al., 2016). Children: body, shortcut.</summary>
public sealed class Residual : Module
{
    private readonly Module body;
    private readonly Module? shortcut;

    /// <summary>Creates the block.</summary>
    /// <param name="body">The residual function.</param>
    /// <param name="shortcut">Maps x to the shape of the body's output; the identity if null.</param>
    public Residual(Module body, Module? shortcut = null)
    {
        this.body = body;
        this.shortcut = shortcut;
        AddModule("body", body);
        if (shortcut is not null) AddModule("shortcut", shortcut);
    }

    internal override bool CanFuse(bool residual) => !residual && !body.HasHooks && body.CanFuse(residual: true);

    internal override Tensor ComputeFused(Tensor x, ActivationKind activation, Tensor? residual = null) =>
        body.ComputeFused(x, activation, Shortcut(x));

    /// <summary>The sum becomes one operation with the end of the body where that can, such as a batch normalisation.</summary>
    /// <param name="x">Input.</param>
    protected override Tensor Compute(Tensor x)
    {
        if (CanFuse(residual: false)) return ComputeFused(x, ActivationKind.Identity);
        var summand = Shortcut(x);
        return Functional.Add(body.Forward(x), summand);
    }

    private Tensor Shortcut(Tensor x) => shortcut is null ? x : shortcut.Forward(x);
}
