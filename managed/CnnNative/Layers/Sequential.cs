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
        AddModule(Children.Count().ToString(), module);
        return this;
    }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        foreach (var (_, module) in Children) x = module.Forward(x);
        return x;
    }
}
