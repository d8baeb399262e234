namespace CnnNative.Layers;

/// <summary>Parallel branches over one input, joined along the channels (Szegedy et al., 2015). Children are named "0", "1", ...</summary>
public sealed class Parallel : Module
{
    /// <summary>Creates the branches.</summary>
    /// <param name="branches">At least one; the sizes of their outputs differ in the channels only.</param>
    public Parallel(params ReadOnlySpan<Module> branches)
    {
        for (var i = 0; i < branches.Length; i++) AddModule(i.ToString(), branches[i]);
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Functional.Concat([.. Children.Select(branch => branch.Value.Forward(x))]);
}
