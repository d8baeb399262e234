using System.Runtime.ExceptionServices;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// A fork-join pool: the calling thread and Count - 1 persistent workers take the parts of one job from a shared ticket.
/// Workers spin for a moment after a job, because the next one usually follows within microseconds, and then park. The caller
/// never waits for a worker to wake up: parts that nobody has taken it does itself.
/// A call from inside a job, or while another thread's job is running, does all its parts on the calling thread.
/// Which thread does a part is left to chance; results must depend on the parts alone.
/// </summary>
internal sealed class CpuThreads : IDisposable
{
    /// <summary>Most parts of one job: a part number has 16 bits in the ticket.</summary>
    public const int MostParts = 0xFFFF;

    /// <summary>How often a worker looks for the next job before it parks: some 50 microseconds.</summary>
    private const int SpinsBeforePark = 1000;

    /// <summary>Parts per thread of a divisible loop: some slack when a core is busy with something else.</summary>
    private const int PartsPerThread = 2;

    private readonly Lock resizing = new();
    private readonly object parking = new();
    private Thread[] workers = [];
    private bool stopping;

    // The running job. The ticket packs (job number, parts, next part) into 32 + 16 + 16 bits, so that one compare-and-swap
    // takes a part of exactly this job; what it belongs to can be read once a part is taken, for the job then cannot end.
    private long ticket;
    private Action<int> body = static _ => { };
    private Exception? failure;
    private int remaining;
    private int busy;
    private int parked;

    /// <summary>Starts a pool.</summary>
    /// <param name="count">Threads that compute, the calling one included.</param>
    public CpuThreads(int count) => Count = count;

    /// <summary>Threads that compute, the calling one included. It may be changed while no job runs.</summary>
    public int Count
    {
        get => workers.Length + 1;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            lock (resizing)
            {
                Stop();
                Start(value - 1);
            }
        }
    }

    /// <summary>Calls body(first, last) for disjoint ranges that cover 0 to count, in parallel. How many ranges there are depends on the number of threads.</summary>
    /// <param name="count">Number of items.</param>
    /// <param name="grain">Fewest items worth a range of their own; a range is some 10 microseconds of work or more.</param>
    /// <param name="body">First item, and the one after the last.</param>
    public void For(long count, long grain, Action<long, long> body)
    {
        if (count <= 0) return;
        var parts = (int)Math.Min(Count == 1 ? 1 : Count * PartsPerThread, (count + grain - 1) / grain);
        if (parts <= 1)
        {
            body(0, count);
            return;
        }

        Run(parts, part => body(count * part / parts, count * (part + 1) / parts));
    }

    /// <summary>Calls body(0) to body(parts - 1), in parallel; returns when all are done.</summary>
    /// <param name="parts">Number of parts, at most <see cref="MostParts"/>.</param>
    /// <param name="body">Does one part.</param>
    public void Run(int parts, Action<int> body)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(parts, MostParts);
        if (parts <= 1 || workers.Length == 0 || Interlocked.CompareExchange(ref busy, 1, 0) != 0)
        {
            for (var part = 0; part < parts; part++) body(part);
            return;
        }

        try
        {
            Fork(parts, body);
        }
        finally
        {
            Volatile.Write(ref busy, 0);
        }
    }

    /// <summary>Ends the workers.</summary>
    public void Dispose()
    {
        lock (resizing) Stop();
    }

    private void Fork(int parts, Action<int> work)
    {
        body = work;
        failure = null;
        Volatile.Write(ref remaining, parts);
        // Full fence: either a worker sees the ticket before it parks, or we see it parked.
        Interlocked.Exchange(ref ticket, ((ticket >> 32) + 1) << 32 | (long)parts << 16);
        if (Volatile.Read(ref parked) > 0) Wake();
        while (TryRunPart())
        {
        }

        var wait = default(SpinWait);
        while (Volatile.Read(ref remaining) > 0) wait.SpinOnce(sleep1Threshold: -1);
        body = static _ => { };
        if (failure is { } thrown) ExceptionDispatchInfo.Capture(thrown).Throw();
    }

    /// <summary>Takes and does one part of the running job; false if none is left.</summary>
    private bool TryRunPart()
    {
        var seen = Volatile.Read(ref ticket);
        if (!HasParts(seen)) return false;
        if (Interlocked.CompareExchange(ref ticket, seen + 1, seen) != seen) return true;
        try
        {
            body((int)(seen & 0xFFFF));
        }
        catch (Exception thrown)
        {
            // Rethrown by the caller of the job when all parts have ended.
            Interlocked.CompareExchange(ref failure, thrown, null);
        }

        Interlocked.Decrement(ref remaining);
        return true;
    }

    private static bool HasParts(long ticket) => (ticket & 0xFFFF) < (ticket >> 16 & 0xFFFF);

    private void Work()
    {
        while (!Volatile.Read(ref stopping))
        {
            for (var spin = 0; spin < SpinsBeforePark; spin++)
            {
                if (TryRunPart()) spin = 0;
                else Thread.SpinWait(8);
            }

            Park();
        }
    }

    private void Park()
    {
        lock (parking)
        {
            Interlocked.Increment(ref parked);
            if (!HasParts(Volatile.Read(ref ticket)) && !stopping) Monitor.Wait(parking);
            Interlocked.Decrement(ref parked);
        }
    }

    private void Wake()
    {
        lock (parking) Monitor.PulseAll(parking);
    }

    private void Start(int count)
    {
        stopping = false;
        workers = new Thread[count];
        for (var i = 0; i < count; i++)
        {
            workers[i] = new Thread(Work) { IsBackground = true, Name = $"CnnNative cpu {i + 1}" };
            workers[i].Start();
        }
    }

    private void Stop()
    {
        Volatile.Write(ref stopping, true);
        Wake();
        foreach (var worker in workers) worker.Join();
        workers = [];
    }
}
