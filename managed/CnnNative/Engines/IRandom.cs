namespace CnnNative.Engines;

/// <summary>Random tensors; element i depends only on the stream and on i.</summary>
public interface IRandom
{
    /// <summary>y = low + (high - low) * u, with u the top 24 bits of the random word over 2^24.</summary>
    /// <param name="y">Output.</param>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Bound that is not reached.</param>
    /// <param name="stream">The random numbers.</param>
    void Uniform(Tensor y, float low, float high, RandomStream stream);

    /// <summary>
    /// y = mean + deviation * z, with z from Box and Muller: words a and b of one block (elements 2j and 2j + 1) give
    /// sqrt(-2 ln((top24(a) + 1) / 2^24)) times the cosine (even element) and the sine (odd) of 2 pi top24(b) / 2^24.
    /// </summary>
    /// <param name="y">Output.</param>
    /// <param name="mean">Mean.</param>
    /// <param name="deviation">Standard deviation.</param>
    /// <param name="stream">The random numbers.</param>
    void Normal(Tensor y, float mean, float deviation, RandomStream stream);
}
