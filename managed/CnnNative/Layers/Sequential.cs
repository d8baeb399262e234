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
    protected override Tensor Compute(Tensor x)
    {
        for (var i = 0; i < ChildCount; i++)
        {
            var module = ChildAt(i);
            var fused = i + 1 < ChildCount && ChildAt(i + 1) is Activation { HasHooks: false } next && !module.HasHooks
                ? module.ComputeFused(x, next.Kind)
                : null;
            if (fused is not null) i++;
            x = fused ?? module.Forward(x);
        }

        return x;
    }
}
