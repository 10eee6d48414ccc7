using FsCheck;
using FsCheck.Fluent;
using Messaging.Application.Tests.Model;

namespace Messaging.Domain.Tests;

/// <summary>
/// Random programs of what can be done in a group, run by the aggregates alone and by <see cref="GroupModel"/>, which the service is held
/// to as well: both answer the same, what everybody sees is the same, and what a group promises holds after each step.
/// </summary>
public sealed class GroupProgramTests
{
    // Who leaves does not come back, and a group that is closed or empty is a short program.
    private static readonly int[] Seldom = [21, 22, 25, 27, 28];
    private static readonly int[] Often = [.. Enumerable.Range(0, 35).Except(Seldom)];

    private static readonly Gen<Step> Steps =
        from kind in Gen.Frequency((40, Gen.Elements(Often)), (1, Gen.Elements(Seldom)))
        from who in Gen.Frequency((2, Gen.Choose(0, 1)), (1, Gen.Choose(0, GroupProgram.Users - 1)))
        from target in Gen.Choose(0, GroupProgram.Users - 1)
        from number in Gen.Choose(1, 30)
        from flag in Gen.Elements(false, true)
        select new Step(kind, who, target, number, flag);

    [Test]
    public void The_aggregates_do_what_the_model_says_and_keep_what_a_group_promises()
    {
        var programs = Arb.From(Steps.ArrayOf(), Shorter);

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(80).WithStartSize(40).WithEndSize(250),
            Prop.ForAll(programs, steps => new GroupProgram().Run(steps)));
    }

    // Halves, quarters and so on left out, and single steps in the end.
    private static IEnumerable<Step[]> Shorter(Step[] steps)
    {
        for (var length = (steps.Length + 1) / 2; length > 0; length = length == 1 ? 0 : (length + 1) / 2)
        {
            for (var from = 0; from + length <= steps.Length; from += length)
                yield return [.. steps[..from], .. steps[(from + length)..]];
        }
    }
}

/// <summary>One step of a program: what, by whom, to whom, a seq or another number, and whether it is done or undone.</summary>
public readonly record struct Step(int Kind, int Who, int Target, int Number, bool Flag);
