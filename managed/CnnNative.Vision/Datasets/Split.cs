namespace CnnNative.Vision.Datasets;

/// <summary>The part of a data set.</summary>
public enum Split
{
    /// <summary>What a model learns from.</summary>
    Train,

    /// <summary>What it is judged by.</summary>
    Test,
}
