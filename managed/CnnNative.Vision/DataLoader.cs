using System.Collections;
using CnnNative.Vision.Datasets;
using CnnNative.Vision.Transforms;

namespace CnnNative.Vision;

/// <summary>Images and their classes on a device. The loader that gave it disposes it before it gives the next.</summary>
/// <param name="Images">Normalised images (N, C, H, W).</param>
/// <param name="Labels">Classes (N) as Int64.</param>
public readonly record struct Batch(Tensor Images, Tensor Labels);

/// <summary>
/// Cuts a data set into batches, in an order that depends on the seed and the epoch alone. Batches are prepared by
/// background threads while the one before is being used. The last batch of an epoch holds what is left.
/// </summary>
public sealed class DataLoader : IEnumerable<Batch>
{
    /// <summary>Batches that are prepared ahead.</summary>
    private const int Ahead = 3;

    /// <summary>Upper half of the stream numbers of the shuffles, so that no other use of a seed draws the same numbers.</summary>
    private const ulong ShuffleStreams = 0x4C44_0000_0000_0000;

    private readonly bool shuffle;
    private int epochs;

    /// <summary>Creates a loader.</summary>
    /// <param name="dataset">The images.</param>
    /// <param name="batchSize">Images per batch.</param>
    /// <param name="device">Where batches go; the default device if null.</param>
    /// <param name="shuffle">Whether every epoch has an order of its own; else images come as they are.</param>
    /// <param name="seed">Decides the orders.</param>
    /// <param name="normalization">How pixels become numbers; the data set's own if null.</param>
    /// <exception cref="ArgumentException">The batch size is not positive, or the normalisation has other channels.</exception>
    public DataLoader(
        ImageDataset dataset, int batchSize, Device? device = null, bool shuffle = false, ulong seed = 0, Normalization? normalization = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        (Dataset, BatchSize, Device, Seed, Normalization) = (dataset, batchSize, device ?? Device.Default, seed, normalization ?? dataset.Normalization);
        if (Normalization.Channels != dataset.Channels)
            throw new ArgumentException($"DataLoader: the normalisation has {Normalization.Channels} channels, {dataset.Name} has {dataset.Channels}");
        this.shuffle = shuffle;
    }

    /// <summary>The images.</summary>
    public ImageDataset Dataset { get; }

    /// <summary>Images per batch; the last of an epoch may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>Batches of an epoch.</summary>
    public int BatchCount => (int)(((long)Dataset.Count + BatchSize - 1) / BatchSize);

    /// <summary>Where batches go.</summary>
    public Device Device { get; }

    /// <summary>Decides the orders.</summary>
    public ulong Seed { get; }

    /// <summary>How pixels become numbers.</summary>
    public Normalization Normalization { get; }

    /// <summary>The batches of one epoch.</summary>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="firstBatch">Batches to leave out at its beginning.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public IEnumerable<Batch> Epoch(int epoch, int firstBatch = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        return Run(Order(epoch), firstBatch);
    }

    /// <summary>The batches of the next epoch: the first call gives epoch 0, the second epoch 1, ...</summary>
    public IEnumerator<Batch> GetEnumerator() => Epoch(epochs++).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private IEnumerable<Batch> Run(int[] order, int firstBatch)
    {
        var preparing = new Queue<Task<HostBatch>>();
        var next = firstBatch;
        try
        {
            while (next < BatchCount && preparing.Count < Ahead) Prepare(new HostBatch(Dataset, Normalization, BatchSize));
            while (preparing.TryDequeue(out var task))
            {
                var ready = task.GetAwaiter().GetResult();
                var (images, labels) = ready.Upload(Device);
                if (next < BatchCount) Prepare(ready);
                using (images)
                using (labels) yield return new Batch(images, labels);
            }
        }
        finally
        {
            // Left early: nothing must go on reading behind the caller's back. A failure of a batch that nobody asked for is nobody's.
            foreach (var task in preparing) ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
        }

        void Prepare(HostBatch batch)
        {
            var first = next++ * BatchSize;
            preparing.Enqueue(Task.Run(() => batch.Fill(order.AsSpan(first, Math.Min(BatchSize, order.Length - first)))));
        }
    }

    /// <summary>The images in the order of an epoch (Fisher and Yates, 1938).</summary>
    private int[] Order(int epoch)
    {
        var order = new int[Dataset.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        if (!shuffle) return order;
        var random = new RandomReader(new RandomStream(Seed, ShuffleStreams + (ulong)epoch));
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }

    /// <summary>A batch in host memory, used again and again.</summary>
    private sealed class HostBatch(ImageDataset dataset, Normalization normalization, int batchSize)
    {
        private readonly byte[] pixels = new byte[dataset.ImageBytes];
        private readonly float[] images = new float[Math.Min(batchSize, dataset.Count) * (long)dataset.ImageBytes];
        private readonly long[] labels = new long[Math.Min(batchSize, dataset.Count)];
        private int count;

        public HostBatch Fill(ReadOnlySpan<int> indices)
        {
            count = indices.Length;
            for (var i = 0; i < count; i++)
            {
                dataset.Read(indices[i], pixels);
                normalization.Apply(pixels, images.AsSpan(i * pixels.Length, pixels.Length));
                labels[i] = dataset.Label(indices[i]);
            }

            return this;
        }

        public Batch Upload(Device device)
        {
            using var scope = Scope.Unowned();
            var shape = new Shape([count, .. dataset.ImageShape]);
            return new Batch(Tensor.From<float>(images.AsSpan(0, (int)shape.Count), shape, device), Tensor.From<long>(labels.AsSpan(0, count), [count], device));
        }
    }
}
