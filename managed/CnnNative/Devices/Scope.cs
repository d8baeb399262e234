namespace CnnNative;

/// <summary>
/// Owns the tensors that are made while it is the innermost scope of its flow of execution (it follows async calls and
/// the threads they start), and returns their memory when it is disposed.
/// </summary>
public sealed class Scope : IDisposable
{
    private static readonly AsyncLocal<Scope?> CurrentScope = new();
    private readonly Lock gate = new();
    private readonly List<Tensor> owned = [];
    private readonly Scope? outer;
    private readonly Device? device;
    private readonly bool recordsGradients;
    private readonly bool leavesOwnership;
    private bool disposed;

    internal Scope(Device? device, bool recordsGradients, bool leavesOwnership = false)
    {
        this.device = device;
        this.leavesOwnership = leavesOwnership;
        outer = CurrentScope.Value;
        this.recordsGradients = recordsGradients && (outer?.recordsGradients ?? true);
        CurrentScope.Value = this;
    }

    /// <summary>Whether operations record how to compute gradients here.</summary>
    public static bool RecordsGradients => CurrentScope.Value?.recordsGradients ?? true;

    /// <summary>Opens a scope that owns nothing: what is made inside lives until it is disposed or forgotten. Gradients are recorded as outside.</summary>
    public static Scope Unowned() => new(device: null, recordsGradients: true);

    /// <summary>Opens a scope in which no gradients are recorded; what is made inside belongs to the scope around it, as if this one were not there.</summary>
    public static Scope NoGradients() => new(device: null, recordsGradients: false, leavesOwnership: true);

    /// <summary>Ends the scope: the tensors that it owns are disposed. Scopes end in the reverse order of their beginning.</summary>
    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        CurrentScope.Value = outer;
        lock (gate)
        {
            foreach (var tensor in owned)
            {
                if (tensor.Owner == this) tensor.Dispose();
            }

            owned.Clear();
        }
    }

    /// <summary>Makes the innermost scope of the tensor's device its owner, if there is one.</summary>
    internal static void Enlist(Tensor tensor) => CurrentScope.Value?.Own(tensor);

    /// <summary>Hands a tensor over to the scope around this one, or to nobody.</summary>
    internal void HandOver(Tensor tensor)
    {
        tensor.Owner = null;
        outer?.Own(tensor);
    }

    private void Own(Tensor tensor)
    {
        if (device is null && !leavesOwnership) return;
        if (device != tensor.Device)
        {
            outer?.Own(tensor);
            return;
        }

        lock (gate)
        {
            // A flow that outlives its scope (a task that was not awaited) makes tensors that nobody owns.
            if (disposed) return;
            tensor.Owner = this;
            owned.Add(tensor);
        }
    }
}
