namespace CnnNative.Engines;

/// <summary>Elementwise arithmetic; tensors of one call have the same shape and layout.</summary>
public interface IElementwise
{
    /// <summary>Sets every element.</summary>
    /// <param name="y">Output.</param>
    /// <param name="value">The value.</param>
    void Fill(Tensor y, float value);

    /// <summary>y = a + b; y may be a or b.</summary>
    /// <param name="a">First summand.</param>
    /// <param name="b">Second summand.</param>
    /// <param name="y">Output.</param>
    void Add(Tensor a, Tensor b, Tensor y);

    /// <summary>y = a * b; y may be a or b.</summary>
    /// <param name="a">First factor.</param>
    /// <param name="b">Second factor.</param>
    /// <param name="y">Output.</param>
    void Multiply(Tensor a, Tensor b, Tensor y);

    /// <summary>y = factor * x; y may be x.</summary>
    /// <param name="x">Input.</param>
    /// <param name="factor">Scalar factor.</param>
    /// <param name="y">Output.</param>
    void Scale(Tensor x, float factor, Tensor y);

    /// <summary>y = the sum of all elements of x, in an order that does not depend on the number of threads.</summary>
    /// <param name="x">Input.</param>
    /// <param name="y">A single element.</param>
    void Sum(Tensor x, Tensor y);

    /// <summary>Sets every element of y to a * the single element of scalar.</summary>
    /// <param name="scalar">A single element on the device.</param>
    /// <param name="a">Factor.</param>
    /// <param name="y">Output.</param>
    void Broadcast(Tensor scalar, float a, Tensor y);

    /// <summary>y = x in another type of floating-point elements, rounded to nearest even; NaN stays NaN.</summary>
    /// <param name="x">Input.</param>
    /// <param name="y">Output, in the layout of x.</param>
    void Cast(Tensor x, Tensor y);

    /// <summary>Adds one to a counter.</summary>
    /// <param name="counter">A single Int64 element.</param>
    void Increment(Tensor counter);
}
