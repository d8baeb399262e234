namespace CnnNative.Vision;

/// <summary>A batch in host memory, used again and again.</summary>
internal sealed class HostBatch(int images, int imageElements)
{
    /// <summary>Normalised pixels, room for a full batch.</summary>
    public float[] Elements { get; } = new float[images * imageElements];

    /// <summary>Classes, room for a full batch.</summary>
    public long[] Labels { get; } = new long[images];

    /// <summary>Bytes of the image that is being read.</summary>
    public byte[] Pixels { get; } = new byte[imageElements];

    /// <summary>Images in this batch.</summary>
    public int Count { get; set; }
}
