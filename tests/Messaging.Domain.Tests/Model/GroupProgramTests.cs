using CsCheck;
using Messaging.Application.Tests.Model;
using Messaging.Testing;

namespace Messaging.Domain.Tests.Model;

/// <summary>
/// Random programs of what can be done in a group, run by the aggregates alone and by <see cref="GroupModel"/>, which the service is held
/// to as well: both answer the same, what everybody sees is the same, and what a group promises holds after each step.
/// </summary>
public sealed class GroupProgramTests
{
    // Who leaves does not come back, and a group that is closed or empty is a short program.
    private static readonly int[] Seldom = [21, 22, 25, 27, 28];
    private static readonly int[] Often = [.. Enumerable.Range(0, 35).Except(Seldom)];

    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Frequency((40, Gen.OneOfConst(Often)), (1, Gen.OneOfConst(Seldom))),
        Gen.Frequency((2, Gen.Int[0, 1]), (1, Gen.Int[0, GroupProgram.Users - 1])),
        Gen.Int[0, GroupProgram.Users - 1], Gen.Int[1, 30], Gen.Bool,
        (kind, who, target, number, flag) => new Step(kind, who, target, number, flag));

    [Test]
    public Task The_aggregates_do_what_the_model_says_and_keep_what_a_group_promises() =>
        Steps.CheckAsync(length: 100, cases: 80, steps =>
        {
            new GroupProgram().Run(steps);
            return Task.CompletedTask;
        });
}

/// <summary>One step of a program: what, by whom, to whom, a seq or another number, and whether it is done or undone.</summary>
public readonly record struct Step(int Kind, int Who, int Target, int Number, bool Flag);
