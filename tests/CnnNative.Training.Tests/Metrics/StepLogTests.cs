using NUnit.Framework;

namespace CnnNative.Training.Tests.Metrics;

public sealed class StepLogTests : TrainingFixture
{
    [Test]
    public void Sums_losses_and_hits_weighted_by_images()
    {
        using var log = new StepLog(Device);
        Add(log, 2f, [[0, 1], [1, 0]], [1, 1]);
        Add(log, 5f, [[3, 1]], [0]);
        Assert.That(log.Count, Is.EqualTo(2));
        var tally = log.Drain(new Tally(1, 1, 1), out var bad);
        Assert.That(tally, Is.EqualTo(new Tally(1 + 2 * 2 + 5, 1 + 1 + 1, 1 + 2 + 1)));
        Assert.That((bad, log.Count), Is.EqualTo(((ValueTuple<int, float>?)null, 0)));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void Gives_the_place_of_the_first_loss_that_is_not_finite(float loss)
    {
        using var log = new StepLog(Device);
        Add(log, 1f, [[0, 1]], [1]);
        Add(log, loss, [[0, 1]], [1]);
        Add(log, float.NaN, [[0, 1]], [1]);
        var tally = log.Drain(default, out var bad);
        Assert.That(bad, Is.EqualTo((1, loss)));
        Assert.That(tally.Images, Is.EqualTo(1));
    }

    [Test]
    public void Is_full_after_its_capacity()
    {
        using var log = new StepLog(Device);
        for (var i = 0; i < StepLog.Capacity; i++)
        {
            Assert.That(log.IsFull, Is.False);
            Add(log, i, [[0, 1]], [1]);
        }

        Assert.That(log.IsFull, Is.True);
        Assert.That(log.Drain(default, out _).LossSum, Is.EqualTo(StepLog.Capacity * (StepLog.Capacity - 1) / 2));
        Assert.That(log.Drain(default, out _), Is.EqualTo(default(Tally)), "drained twice");
    }

    private void Add(StepLog log, float loss, float[][] scores, long[] labels)
    {
        using var lossTensor = Tensor.From([loss], Shape.Scalar, Device);
        using var scoreTensor = Tensor.From(scores.SelectMany(row => row).ToArray(), [scores.Length, scores[0].Length], Device);
        using var labelTensor = Tensor.From(labels, [labels.Length], Device);
        log.Add(lossTensor, scoreTensor, labelTensor);
    }
}
