namespace CnnNative;

/// <summary>
/// The blocks that a captured step uses: its replays write to them, so that the pool lends them to nobody else until the
/// step is disposed. Guarded by the pool's lock.
/// </summary>
internal sealed class MemoryReservation
{
    private readonly HashSet<nint> blocks = [];
    private readonly Dictionary<long, Stack<nint>> free = [];

    /// <summary>Blocks that were given back, by size.</summary>
    public IReadOnlyDictionary<long, Stack<nint>> Free => free;

    /// <summary>Notes a block that is lent while the reservation is open.</summary>
    public void Add(nint address) => blocks.Add(address);

    /// <summary>A block of this size that was given back, or 0.</summary>
    public nint TryTake(long size) => free.TryGetValue(size, out var stack) && stack.TryPop(out var address) ? address : 0;

    /// <summary>Keeps a block that comes back, if it is one of this reservation's.</summary>
    public bool TryKeep(nint address, long size)
    {
        if (!blocks.Contains(address)) return false;
        if (!free.TryGetValue(size, out var stack)) free[size] = stack = new Stack<nint>();
        stack.Push(address);
        return true;
    }
}
