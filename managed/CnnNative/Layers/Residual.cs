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

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Add(body.Forward(x), shortcut is null ? x : shortcut.Forward(x));
}
