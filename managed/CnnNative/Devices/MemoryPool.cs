using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace CnnNative;

/// <summary>
/// A caching pool: a freed block waits in a bin of its size for the next tensor of that size, so that a training loop
/// asks the system for memory only in its first steps. Sizes are rounded up to one of eight per power of two
/// (at most 12.5 % waste). Thread-safe.
/// </summary>
public sealed class MemoryPool
{
    private const long SmallestBlock = 256;

    /// <summary>Live bytes below which forgotten tensors are left to the garbage collector's own pace.</summary>
    private const long PatienceBytes = 256L << 20;

    /// <summary>Lines of the report of what holds the memory.</summary>
    private const int MostHolders = 10;

    private readonly IMemoryBackend backend;
    private readonly Lock gate = new();
    private readonly Dictionary<long, Stack<nint>> bins = [];
    private readonly Dictionary<long, int> liveSizes = [];
    private readonly ConcurrentDictionary<long, (string Site, long Bytes)> sites = new();
    private long liveBytes, liveBlocks, cachedBytes, peakLiveBytes, backendAllocations, finalizedBlocks, nextId;
    private readonly List<MemoryReservation> reservations = [];
    private MemoryReservation? open;
    private long collectAt = PatienceBytes;

    internal MemoryPool(IMemoryBackend backend) => this.backend = backend;

    /// <summary>Whether the place in the user's code that makes each tensor is noted, for <see cref="LeakReport"/>. Slow; for debugging and tests.</summary>
    public bool TrackCreation { get; set; }

    /// <summary>The state of the pool now.</summary>
    public MemoryStatistics Statistics
    {
        get
        {
            lock (gate) return new(liveBytes, liveBlocks, cachedBytes, peakLiveBytes, backendAllocations, finalizedBlocks);
        }
    }

    /// <summary>Lets the peak start again from what is live now.</summary>
    public void ResetPeak()
    {
        lock (gate) peakLiveBytes = liveBytes;
    }

    /// <summary>Gives the cached blocks back to the system, after the work of the device that may use them. While a step is captured they stay.</summary>
    /// <exception cref="Interop.CudaException">An earlier kernel failed.</exception>
    public void Trim()
    {
        lock (gate)
        {
            if (!backend.CanFree) return;
            FreeCached();
            backend.Trim();
        }
    }

    /// <summary>Lets the cached blocks go and waits for nothing: the end of a device.</summary>
    internal void FreeCached()
    {
        lock (gate)
        {
            foreach (var (size, blocks) in bins)
            {
                while (blocks.TryPop(out var address)) backend.Free(address, size);
            }

            cachedBytes = 0;
        }
    }

    /// <summary>
    /// One line for each place whose tensors are still alive, largest first: bytes, tensors, place.
    /// Empty when nothing that was made under <see cref="TrackCreation"/> is alive.
    /// </summary>
    public string LeakReport()
    {
        var report = new StringBuilder();
        var groups = sites.Values.GroupBy(entry => entry.Site)
            .Select(group => (Site: group.Key, Bytes: group.Sum(entry => entry.Bytes), Count: group.Count()))
            .OrderByDescending(group => group.Bytes);
        foreach (var (site, bytes, count) in groups) report.AppendLine($"{bytes:N0} bytes in {count} tensors made {site}");
        return report.ToString();
    }

    /// <summary>What holds the live bytes: places under <see cref="TrackCreation"/>; else how many blocks of which size, the sizes that hold most.</summary>
    private string Holders()
    {
        var places = LeakReport();
        if (places.Length > 0) return places;
        lock (gate)
        {
            var sizes = liveSizes.Where(entry => entry.Value > 0).OrderByDescending(entry => entry.Key * entry.Value).Take(MostHolders);
            return string.Concat(sizes.Select(entry => $"{entry.Key * entry.Value:N0} bytes in {entry.Value} blocks of {entry.Key:N0} bytes\n"));
        }
    }

    /// <summary>From now on every block that is lent belongs to the reservation returned, also after it was given back; one at a time.</summary>
    internal MemoryReservation OpenReservation()
    {
        lock (gate)
        {
            if (open is not null) throw new InvalidOperationException("MemoryPool: a reservation is open already");
            reservations.Add(open = new MemoryReservation());
            return open;
        }
    }

    /// <summary>Ends the noting of blocks.</summary>
    internal void CloseReservation()
    {
        lock (gate) open = null;
    }

    /// <summary>Gives the reserved blocks back to everybody; those still lent follow when they come back.</summary>
    internal void EndReservation(MemoryReservation reservation)
    {
        lock (gate)
        {
            if (!reservations.Remove(reservation)) return;
            foreach (var (size, blocks) in reservation.Free)
            {
                while (blocks.TryPop(out var address)) Cache(address, size);
            }
        }
    }

    internal Block Take(long bytes)
    {
        var size = RoundUp(bytes);
        var address = TryTake(size, mayCollect: true);
        if (address == 0)
        {
            CollectForgotten(size);
            address = TryTake(size, mayCollect: false);
        }

        if (address == 0)
        {
            Trim();
            address = TryTake(size, mayCollect: false);
        }

        if (address == 0) throw backend.OutOfMemory(bytes, Statistics, Holders());

        var id = 0L;
        if (TrackCreation)
        {
            id = Interlocked.Increment(ref nextId);
            sites[id] = (CreationSite.Find(), size);
        }

        return new Block(address, size, id);
    }

    /// <summary>A cached block, or a new one; 0 when there is none, or when forgotten tensors should be collected first.</summary>
    private nint TryTake(long size, bool mayCollect)
    {
        lock (gate)
        {
            // Reserved blocks count as live until the reservation ends.
            if (open?.TryTake(size) is { } reserved and not 0) return reserved;
            if (bins.TryGetValue(size, out var blocks) && blocks.TryPop(out var address))
            {
                cachedBytes -= size;
            }
            else
            {
                if (mayCollect && liveBytes + size > collectAt) return 0;
                address = backend.Allocate(size);
                if (address == 0) return 0;
                backendAllocations++;
            }

            liveBytes += size;
            liveBlocks++;
            CollectionsMarshal.GetValueRefOrAddDefault(liveSizes, size, out _)++;
            peakLiveBytes = Math.Max(peakLiveBytes, liveBytes);
            open?.Add(address);
            return address;
        }
    }

    /// <summary>
    /// Tensors that nobody disposed and no scope owns are small objects to the garbage collector, which knows nothing of
    /// the device memory behind them; so the pool asks for a collection itself each time the live bytes have doubled.
    /// </summary>
    /// <param name="size">What is asked for, and will be live next.</param>
    private void CollectForgotten(long size)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        lock (gate) collectAt = 2 * (liveBytes + size) + PatienceBytes;
    }

    internal void Return(in Block block, bool finalized)
    {
        if (block.Id != 0) sites.TryRemove(block.Id, out _);
        lock (gate)
        {
            if (finalized) finalizedBlocks++;
            foreach (var reservation in reservations)
            {
                if (reservation.TryKeep(block.Address, block.Size)) return;
            }

            Cache(block.Address, block.Size);
        }
    }

    /// <summary>A live block becomes a free one.</summary>
    private void Cache(nint address, long size)
    {
        if (!bins.TryGetValue(size, out var blocks)) bins[size] = blocks = new Stack<nint>();
        blocks.Push(address);
        cachedBytes += size;
        liveBytes -= size;
        liveBlocks--;
        liveSizes[size]--;
    }

    /// <summary>Rounds up to a multiple of an eighth of the power of two below.</summary>
    private static long RoundUp(long bytes)
    {
        if (bytes <= SmallestBlock) return SmallestBlock;
        var step = Math.Max(SmallestBlock / 8, 1L << (63 - 3 - (int)long.LeadingZeroCount(bytes - 1)));
        return checked((bytes + step - 1) / step * step);
    }

    internal readonly record struct Block(nint Address, long Size, long Id);
}
