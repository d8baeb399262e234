using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>Modules one after another, named "0", "1", ... unless they were added by name.</summary>
public class Sequential : Module
{
    /// <summary>Creates the chain.</summary>
    /// <param name="modules">The modules, first to last.</param>
    public Sequential(params ReadOnlySpan<Module> modules)
    {
        foreach (var module in modules) Add(module);
    }

    /// <summary>Adds a module at the end, named by its place.</summary>
    /// <param name="module">The module.</param>
    /// <returns>This chain.</returns>
    public Sequential Add(Module module)
    {
        AddModule(ChildCount.ToString(), module);
        return this;
    }

    /// <summary>Runs the chain. A module and the activation behind it become one operation where the module can, unless a hook wants to see between them.</summary>
    /// <param name="x">Input.</param>
    protected override Tensor Compute(Tensor x) => Run(x, ChildCount);

    internal override bool CanFuse(bool residual) =>
        ChildCount > 0 && ChildAt(ChildCount - 1) is { HasHooks: false } last && last.CanFuse(residual);

    internal override Tensor ComputeFused(Tensor x, ActivationKind activation, Tensor? residual = null) =>
        ChildAt(ChildCount - 1).ComputeFused(Run(x, ChildCount - 1), activation, residual);

    /// <summary>The output of the first modules.</summary>
    private Tensor Run(Tensor x, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var module = ChildAt(i);
            var joins = i + 1 < count && ChildAt(i + 1) is Activation { HasHooks: false } && !module.HasHooks && module.CanFuse(residual: false);
            x = joins ? module.ComputeFused(x, ((Activation)ChildAt(++i)).Kind) : module.Forward(x);
        }

        return x;
    }
}
