namespace CnnNative.Training;

/// <summary>Training diverged: a loss, or a weight that the next loss would come from, is infinite or not a number.</summary>
public sealed class NonFiniteLossException : ArithmeticException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="what">What is not finite, such as "the loss".</param>
    /// <param name="epoch">Epoch, from 1.</param>
    /// <param name="step">Step since the beginning of training, from 1.</param>
    /// <param name="loss">The value found.</param>
    /// <param name="learningRate">Learning rate of that step.</param>
    public NonFiniteLossException(string what, int epoch, long step, float loss, float learningRate)
        : base($"training diverged: {what} is {loss} in step {step} of epoch {epoch}, at learning rate {learningRate}; a smaller learning rate usually helps")
    {
        Epoch = epoch;
        Step = step;
        Loss = loss;
        LearningRate = learningRate;
    }

    /// <summary>Epoch, from 1.</summary>
    public int Epoch { get; }

    /// <summary>Step since the beginning of training, from 1.</summary>
    public long Step { get; }

    /// <summary>The value that is not finite.</summary>
    public float Loss { get; }

    /// <summary>Learning rate of that step.</summary>
    public float LearningRate { get; }
}
