using System.Runtime.ExceptionServices;

namespace CnnNative.Vision;

/// <summary>
/// Threads that fill host batches ahead of their use. Batch b goes into slot b modulo the number of slots once the batch
/// before in that slot was released, so that batches come out in order and memory is bounded. An error of a thread comes
/// out in the place of the batch that it was filling.
/// </summary>
internal sealed class Prefetcher : IDisposable
{
    private readonly Lock gate = new();
    private readonly Slot[] slots;
    private readonly Action<int, HostBatch> fill;
    private readonly int end;
    private readonly SemaphoreSlim free;
    private readonly Thread[] threads;
    private int nextToFill, nextToTake;
    private volatile bool stopped;

    /// <summary>Starts the threads.</summary>
    /// <param name="buffers">The memory; at least one.</param>
    /// <param name="first">First batch.</param>
    /// <param name="end">One after the last batch.</param>
    /// <param name="workers">Number of threads.</param>
    /// <param name="fill">Fills a buffer with a batch; called on the threads.</param>
    public Prefetcher(HostBatch[] buffers, int first, int end, int workers, Action<int, HostBatch> fill)
    {
        slots = Array.ConvertAll(buffers, buffer => new Slot(buffer));
        this.fill = fill;
        this.end = end;
        nextToFill = nextToTake = first;
        free = new SemaphoreSlim(slots.Length);
        threads = new Thread[workers];
        for (var i = 0; i < workers; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true, Name = "CnnNative loader" };
            threads[i].UnsafeStart();
        }
    }

    /// <summary>Waits for the next batch. It is the caller's until <see cref="Release"/>.</summary>
    public HostBatch Take()
    {
        var slot = slots[nextToTake % slots.Length];
        slot.Ready.Wait();
        slot.Error?.Throw();
        return slot.Buffer;
    }

    /// <summary>Gives the batch taken last back to the threads.</summary>
    public void Release()
    {
        nextToTake++;
        free.Release();
    }

    /// <summary>Ends the threads and waits for them.</summary>
    public void Dispose()
    {
        stopped = true;
        free.Release(threads.Length);
        foreach (var thread in threads) thread.Join();
        free.Dispose();
        foreach (var slot in slots) slot.Ready.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            free.Wait();
            int batch;
            lock (gate) batch = nextToFill++;
            if (stopped || batch >= end) return;
            var slot = slots[batch % slots.Length];
            try
            {
                fill(batch, slot.Buffer);
            }
            catch (Exception error)
            {
                slot.Error = ExceptionDispatchInfo.Capture(error);
            }

            slot.Ready.Release();
        }
    }

    private sealed class Slot(HostBatch buffer)
    {
        public HostBatch Buffer { get; } = buffer;

        public SemaphoreSlim Ready { get; } = new(0);

        public ExceptionDispatchInfo? Error { get; set; }
    }
}
