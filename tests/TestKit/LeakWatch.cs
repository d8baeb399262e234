namespace CnnNative.TestKit;

/// <summary>What a piece of work leaves behind in a memory pool.</summary>
public sealed class LeakWatch
{
    private readonly MemoryPool memory;
    private readonly MemoryStatistics before;

    /// <summary>Begins to watch; from here on the pool notes who makes tensors.</summary>
    public LeakWatch(MemoryPool memory)
    {
        this.memory = memory;
        memory.TrackCreation = true;
        before = memory.Statistics;
    }

    /// <summary>What was left since the beginning, with the places that made it; null if nothing was.</summary>
    public string? Report()
    {
        var after = memory.Statistics;
        var alive = after.LiveBlocks - before.LiveBlocks;
        var forgotten = after.FinalizedBlocks - before.FinalizedBlocks;
        if (alive == 0 && forgotten == 0) return null;

        var report = memory.LeakReport();
        // The next piece of work begins clean.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return $"left {alive} tensors undisposed, and {forgotten} that the garbage collector found:\n{report}";
    }
}
