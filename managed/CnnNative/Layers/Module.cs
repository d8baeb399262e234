using CnnNative.Engines;

namespace CnnNative.Layers;

/// <summary>
/// A part of a network: parameters, buffers, named children, and how an output follows from an input.
/// Names are PyTorch's, so that state dictionaries are interchangeable.
/// </summary>
public abstract class Module
{
    private readonly OrderedDictionary<string, Module> children = [];
    private readonly OrderedDictionary<string, Tensor?> parameters = [];
    private readonly OrderedDictionary<string, Tensor?> buffers = [];
    private List<Action<Module, Tensor, Tensor>>? hooks;

    /// <summary>Whether the module behaves as in training (dropout drops, batch normalisation uses the batch).</summary>
    public bool Training { get; private set; } = true;

    /// <summary>The direct children by name, in their order.</summary>
    public IEnumerable<KeyValuePair<string, Module>> Children => children;

    /// <summary>The window through which one output pixel sees the input, for receptive fields; null where the module does not look at neighbours.</summary>
    /// <param name="input">Shape of the input, from which an adaptive layer has its window.</param>
    public virtual Window? WindowOver(Shape input) => null;

    /// <summary>Whether parameters and buffers stay Float32 in a module of another data type.</summary>
    private protected virtual bool KeepsFloat32 => false;

    /// <summary>Whether somebody wants to see each output.</summary>
    internal bool HasHooks => hooks is not null;

    /// <summary>Number of direct children.</summary>
    private protected int ChildCount => children.Count;

    /// <summary>Computes the output and calls the hooks.</summary>
    /// <param name="x">Input.</param>
    public Tensor Forward(Tensor x)
    {
        var y = Compute(x);
        if (hooks is not null)
        {
            foreach (var hook in hooks) hook(this, x, y);
        }

        return y;
    }

    /// <summary>Calls back after each forward pass of this module, with the module, its input and its output.</summary>
    /// <param name="hook">What to call.</param>
    /// <returns>Dispose it to end the calls.</returns>
    public IDisposable OnForward(Action<Module, Tensor, Tensor> hook)
    {
        hooks = [.. hooks ?? [], hook];
        return new Subscription(() => hooks = hooks.Count == 1 ? null : [.. hooks.Where(other => other != hook)]);
    }

    /// <summary>Multiply-adds of this module alone, without its children.</summary>
    /// <param name="input">Shape of the input.</param>
    /// <param name="output">Shape of the output.</param>
    public virtual long MultiplyAdds(Shape input, Shape output) => 0;

    /// <summary>Adds a named child.</summary>
    /// <param name="name">Its name in state dictionaries; without dots, new among the children.</param>
    /// <param name="module">The child.</param>
    /// <exception cref="ArgumentException">The name is empty, has a dot, or is taken.</exception>
    public void AddModule(string name, Module module)
    {
        CheckName(name);
        children.Add(name, module);
    }

    /// <summary>Switches the module and its children to training, or back.</summary>
    /// <param name="training">Whether to train.</param>
    /// <returns>This module.</returns>
    public Module Train(bool training = true)
    {
        Training = training;
        foreach (var child in children.Values) child.Train(training);
        return this;
    }

    /// <summary>Switches the module and its children to inference.</summary>
    /// <returns>This module.</returns>
    public Module Eval() => Train(false);

    /// <summary>The parameters of this module and its children, in order.</summary>
    /// <exception cref="InvalidOperationException">A lazy layer has not seen an input yet.</exception>
    public IReadOnlyList<Tensor> Parameters() => [.. NamedParameters().Select(entry => entry.Value)];

    /// <summary>The parameters by their names in state dictionaries.</summary>
    /// <exception cref="InvalidOperationException">A lazy layer has not seen an input yet.</exception>
    public IEnumerable<KeyValuePair<string, Tensor>> NamedParameters() => Named(module => module.parameters, "");

    /// <summary>The buffers (such as running statistics) by their names in state dictionaries.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> NamedBuffers() => Named(module => module.buffers, "");

    /// <summary>This module and all modules below it, with their dotted names; this one's is empty.</summary>
    public IEnumerable<KeyValuePair<string, Module>> NamedModules() => NamedModules("");

    /// <summary>Parameters and buffers by PyTorch's keys, each module's own before its children's. The tensors are the model's own, not copies.</summary>
    /// <exception cref="InvalidOperationException">A lazy layer has not seen an input yet.</exception>
    public OrderedDictionary<string, Tensor> StateDict()
    {
        var state = new OrderedDictionary<string, Tensor>();
        foreach (var (prefix, module) in NamedModules())
        {
            foreach (var (name, tensor) in module.Own()) state.Add(Join(prefix, name), tensor);
        }

        return state;
    }

    /// <summary>Copies values into the parameters and buffers.</summary>
    /// <param name="state">Values by key; any device and layout.</param>
    /// <param name="strict">Whether every key must be on both sides.</param>
    /// <exception cref="StateDictException">Keys are missing or unknown (strict), or a shape or data type differs; then nothing is changed.</exception>
    public void LoadStateDict(IReadOnlyDictionary<string, Tensor> state, bool strict = true)
    {
        Adopt(state, "");
        var own = StateDict();
        var missing = own.Keys.Where(key => !state.ContainsKey(key)).ToList();
        var unknown = state.Keys.Where(key => !own.ContainsKey(key)).ToList();
        if (strict && missing.Count + unknown.Count > 0)
            throw new StateDictException($"the state does not fit {GetType().Name}: missing [{string.Join(", ", missing)}], unknown [{string.Join(", ", unknown)}]");

        var pairs = own.Where(entry => state.ContainsKey(entry.Key)).Select(entry => (entry.Key, Target: entry.Value, Source: state[entry.Key])).ToList();
        foreach (var (key, target, source) in pairs)
        {
            if (target.Shape != source.Shape || target.DType != source.DType)
                throw new StateDictException($"{key}: the state holds {source.Shape} {source.DType}, {GetType().Name} expects {target.Shape} {target.DType}");
        }

        foreach (var (_, target, source) in pairs) target.CopyFrom(source);
    }

    /// <summary>Moves parameters and buffers to a device. Do it before making an optimizer.</summary>
    /// <param name="device">Where to.</param>
    /// <returns>This module.</returns>
    public Module To(Device device) => Replace((_, tensor) => tensor.Device == device ? null : tensor.To(device));

    /// <summary>
    /// Rounds parameters and buffers to another type of floating-point numbers, nearest even. Do it before making an optimizer; inputs are
    /// to be of that type too. Counters stay as they are, and so does all of batch normalisation, which computes with Float32 parameters
    /// and statistics whatever its input is.
    /// </summary>
    /// <remarks>
    /// An optimizer updates such parameters in Float32 and rounds them once per step: what is less than half the distance to the next
    /// number is lost. Where that matters, keep the parameters in Float32 and give the operations of <see cref="Functional"/> what
    /// <see cref="Tensor.To(DType)"/> makes of them; gradients flow through it.
    /// </remarks>
    /// <param name="dtype">Float32, BFloat16 or Float16.</param>
    /// <returns>This module.</returns>
    /// <exception cref="DTypeException">It is not a type of floating-point numbers; then nothing is changed.</exception>
    /// <exception cref="InvalidOperationException">A lazy layer has not seen an input yet; then nothing is changed.</exception>
    public Module To(DType dtype)
    {
        if (!dtype.IsFloating()) throw new DTypeException($"{GetType().Name}.To", nameof(dtype), dtype, DType.Float32);
        // Names every tensor, and so finds one that is not there yet.
        StateDict();
        return Replace((module, tensor) =>
        {
            if (module.KeepsFloat32 || !tensor.DType.IsFloating() || tensor.DType == dtype) return null;
            using var plain = tensor.Detach();
            return plain.To(dtype);
        });
    }

    /// <summary>Frees the parameters and buffers of the module and its children now, instead of when they are forgotten.</summary>
    public void DisposeParameters()
    {
        foreach (var (_, tensor) in StateDictOfInitialized()) tensor.Dispose();
    }

    /// <summary>Computes the output.</summary>
    /// <param name="x">Input.</param>
    protected abstract Tensor Compute(Tensor x);

    /// <summary>Whether <see cref="ComputeFused"/> can be called, and with a residual if that is asked.</summary>
    /// <param name="residual">Whether there is one.</param>
    internal virtual bool CanFuse(bool residual) => false;

    /// <summary>activation(output + residual) by the operation that computes the output; only where <see cref="CanFuse"/>.</summary>
    /// <param name="x">Input.</param>
    /// <param name="activation">The function.</param>
    /// <param name="residual">Of the shape of the output; null for nothing.</param>
    internal virtual Tensor ComputeFused(Tensor x, ActivationKind activation, Tensor? residual = null) =>
        throw new NotSupportedException($"{GetType().Name} joins nothing behind it");

    /// <summary>A direct child by its place.</summary>
    /// <param name="place">From 0.</param>
    private protected Module ChildAt(int place) => children.GetAt(place).Value;

    /// <summary>Adds or replaces a parameter; null for one that a lazy layer makes later.</summary>
    /// <param name="name">Its name in state dictionaries.</param>
    /// <param name="tensor">The value.</param>
    protected void SetParameter(string name, Tensor? tensor)
    {
        CheckName(name);
        if (tensor is not null) tensor.RequiresGrad = true;
        parameters[name] = tensor;
    }

    /// <summary>Adds or replaces a buffer: state that is saved but not trained.</summary>
    /// <param name="name">Its name in state dictionaries.</param>
    /// <param name="tensor">The value.</param>
    protected void SetBuffer(string name, Tensor? tensor)
    {
        CheckName(name);
        buffers[name] = tensor;
    }

    /// <summary>The parameter of that name, or null if it is not set.</summary>
    /// <param name="name">Its name.</param>
    protected Tensor? GetParameter(string name) => parameters.GetValueOrDefault(name);

    /// <summary>The buffer of that name, or null if it is not set.</summary>
    /// <param name="name">Its name.</param>
    protected Tensor? GetBuffer(string name) => buffers.GetValueOrDefault(name);

    /// <summary>Lets a lazy layer take its sizes from a state that is about to be loaded.</summary>
    /// <param name="state">The state.</param>
    /// <param name="prefix">The dotted name of this module and a dot, or nothing.</param>
    private protected virtual void AdoptSizes(IReadOnlyDictionary<string, Tensor> state, string prefix)
    {
    }

    private static string Join(string prefix, string name) => prefix.Length == 0 ? name : $"{prefix}.{name}";

    private static void CheckName(string name)
    {
        if (name.Length == 0 || name.Contains('.')) throw new ArgumentException($"'{name}' cannot name a module, parameter or buffer: names are not empty and have no dot");
    }

    /// <summary>Puts others in the place of parameters and buffers; null leaves one as it is.</summary>
    private Module Replace(Func<Module, Tensor, Tensor?> other)
    {
        using var scope = Scope.Unowned();
        foreach (var (_, module) in NamedModules())
        {
            ReplaceIn(module.parameters, tensor => other(module, tensor));
            ReplaceIn(module.buffers, tensor => other(module, tensor));
        }

        return this;
    }

    private static void ReplaceIn(OrderedDictionary<string, Tensor?> tensors, Func<Tensor, Tensor?> other)
    {
        foreach (var name in tensors.Keys.ToArray())
        {
            if (tensors[name] is not { } tensor || other(tensor) is not { } replacement) continue;
            replacement.RequiresGrad = tensor.RequiresGrad;
            tensors[name] = replacement;
            tensor.Dispose();
        }
    }

    private void Adopt(IReadOnlyDictionary<string, Tensor> state, string prefix)
    {
        AdoptSizes(state, prefix);
        foreach (var (name, child) in children) child.Adopt(state, $"{prefix}{name}.");
    }

    private IEnumerable<KeyValuePair<string, Module>> NamedModules(string prefix)
    {
        yield return new(prefix, this);
        foreach (var (name, child) in children)
        {
            foreach (var entry in child.NamedModules(Join(prefix, name))) yield return entry;
        }
    }

    private IEnumerable<KeyValuePair<string, Tensor>> Named(Func<Module, OrderedDictionary<string, Tensor?>> tensors, string prefix)
    {
        foreach (var (name, tensor) in tensors(this)) yield return new(Join(prefix, name), tensor ?? throw NotInitialized(name));
        foreach (var (name, child) in children)
        {
            foreach (var entry in child.Named(tensors, Join(prefix, name))) yield return entry;
        }
    }

    private IEnumerable<KeyValuePair<string, Tensor>> Own()
    {
        foreach (var (name, tensor) in parameters) yield return new(name, tensor ?? throw NotInitialized(name));
        foreach (var (name, tensor) in buffers) yield return new(name, tensor ?? throw NotInitialized(name));
    }

    private IEnumerable<KeyValuePair<string, Tensor>> StateDictOfInitialized() =>
        from module in NamedModules()
        from entry in module.Value.parameters.Concat(module.Value.buffers)
        where entry.Value is not null
        select new KeyValuePair<string, Tensor>(entry.Key, entry.Value);

    private InvalidOperationException NotInitialized(string name) =>
        new($"{GetType().Name}: {name} is not initialised; a lazy layer learns its sizes from its first input, so run the model forward once before asking for its parameters");

    private sealed class Subscription(Action end) : IDisposable
    {
        private Action? end = end;

        public void Dispose()
        {
            end?.Invoke();
            end = null;
        }
    }
}
