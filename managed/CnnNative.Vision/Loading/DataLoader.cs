using System.Collections;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Transforms;

namespace CnnNative.Vision;

/// <summary>
/// Gives a data set in batches, as normalised tensors on a device. Batches are prepared on threads of the loader, a few
/// ahead of their use, in a fixed number of buffers. What a batch holds depends only on the data set, the seed, the
/// epoch and the number of the batch.
/// </summary>
/// <example><code>foreach (var (images, labels) in loader) { ... }</code></example>
public sealed class DataLoader : IEnumerable<Batch>
{
    /// <summary>Batches ready besides those that the threads are filling.</summary>
    private const int BatchesAhead = 2;

    private readonly bool shuffle, dropLast;
    private readonly int workers;
    private int nextEpoch = -1;
    private Buffers? spare;

    /// <summary>Creates a loader.</summary>
    /// <param name="dataset">The images.</param>
    /// <param name="batchSize">Images per batch.</param>
    /// <param name="device">Where the tensors go; the default device if null.</param>
    /// <param name="shuffle">Whether each epoch has its own order.</param>
    /// <param name="seed">Decides the orders.</param>
    /// <param name="dropLast">Whether a last batch that is not full is left out.</param>
    /// <param name="normalization">How pixels become numbers; that of the data set if null.</param>
    /// <param name="workers">Threads that prepare batches.</param>
    /// <exception cref="ArgumentException">A number is not positive, no batch is left, a batch is too large, or the normalisation has other channels.</exception>
    public DataLoader(
        ImageDataset dataset, int batchSize, Device? device = null, bool shuffle = false, ulong seed = 0, bool dropLast = false,
        Normalization? normalization = null, int workers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        if (dropLast && dataset.Count < batchSize)
            throw new ArgumentException($"DataLoader: {dataset.Name} has {dataset.Count:N0} images, fewer than one full batch of {batchSize:N0}");
        if ((long)Math.Min(batchSize, dataset.Count) * dataset.ImageBytes > Array.MaxLength)
            throw new ArgumentException($"DataLoader: a batch of {batchSize:N0} images {dataset.ImageShape} has more than {Array.MaxLength:N0} elements");
        Dataset = dataset;
        BatchSize = batchSize;
        Device = device ?? Device.Default;
        Seed = seed;
        Normalization = normalization ?? dataset.Normalization;
        if (Normalization.Channels != dataset.Channels)
            throw new ArgumentException($"DataLoader: the normalisation has {Normalization.Channels} channels, {dataset.Name} has {dataset.Channels}");
        (this.shuffle, this.dropLast, this.workers) = (shuffle, dropLast, workers);
    }

    /// <summary>The images.</summary>
    public ImageDataset Dataset { get; }

    /// <summary>Images per batch; the last batch may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>Batches per epoch.</summary>
    public int BatchCount => Dataset.Count / BatchSize + (dropLast || Dataset.Count % BatchSize == 0 ? 0 : 1);

    /// <summary>Where the tensors go.</summary>
    public Device Device { get; }

    /// <summary>Decides the orders.</summary>
    public ulong Seed { get; }

    /// <summary>How pixels become numbers.</summary>
    public Normalization Normalization { get; }

    /// <summary>The batches of one epoch, or the rest of them.</summary>
    /// <param name="epoch">Number of the epoch, from 0; it matters only when shuffling.</param>
    /// <param name="firstBatch">Where to begin: the batches are those that a whole epoch gives from there on.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or there is no such batch.</exception>
    public IEnumerable<Batch> Epoch(int epoch, int firstBatch = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstBatch, BatchCount);
        return Enumerate(epoch, firstBatch);
    }

    /// <summary>The batches of the next epoch: the first loop over the loader gives epoch 0, the second epoch 1, and so on.</summary>
    public IEnumerator<Batch> GetEnumerator() => Epoch(Interlocked.Increment(ref nextEpoch)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerable<Batch> Enumerate(int epoch, int firstBatch)
    {
        // Loops that run at the same time each have buffers of their own.
        var buffers = Interlocked.Exchange(ref spare, null) ?? new Buffers(this);
        if (shuffle) Shuffle.Fill(buffers.Order, Seed, epoch);
        try
        {
            using var prefetcher = new Prefetcher(buffers.Batches, firstBatch, BatchCount, workers, (batch, host) => Fill(batch, host, buffers.Order));
            for (var i = firstBatch; i < BatchCount; i++)
            {
                var batch = Upload(prefetcher.Take());
                prefetcher.Release();
                try
                {
                    yield return batch;
                }
                finally
                {
                    batch.Images.Dispose();
                    batch.Labels.Dispose();
                }
            }
        }
        finally
        {
            spare = buffers;
        }
    }

    private void Fill(int batch, HostBatch host, int[] order)
    {
        var first = batch * BatchSize;
        host.Count = Math.Min(BatchSize, Dataset.Count - first);
        for (var i = 0; i < host.Count; i++)
        {
            var index = order[first + i];
            Dataset.Read(index, host.Pixels);
            Normalization.Apply(host.Pixels, host.Elements.AsSpan(i * Dataset.ImageBytes, Dataset.ImageBytes));
            host.Labels[i] = Dataset.Label(index);
        }
    }

    private Batch Upload(HostBatch host)
    {
        using var unowned = Scope.Unowned();
        var images = Tensor.From<float>(host.Elements.AsSpan(0, host.Count * Dataset.ImageBytes), [host.Count, .. Dataset.ImageShape], Device);
        try
        {
            return new Batch(images, Tensor.From<long>(host.Labels.AsSpan(0, host.Count), [host.Count], Device));
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    /// <summary>The memory of one running loop.</summary>
    private sealed class Buffers
    {
        public Buffers(DataLoader loader)
        {
            var images = Math.Min(loader.BatchSize, loader.Dataset.Count);
            Order = [.. Enumerable.Range(0, loader.Dataset.Count)];
            Batches = new HostBatch[Math.Clamp(loader.BatchCount, 1, loader.workers + BatchesAhead)];
            for (var i = 0; i < Batches.Length; i++) Batches[i] = new HostBatch(images, loader.Dataset.ImageBytes);
        }

        /// <summary>The indices of the images in the order of the epoch.</summary>
        public int[] Order { get; }

        public HostBatch[] Batches { get; }
    }
}
