"""What each figure of a sweep means, for tooltips and for docs/sweeps.md."""

from typing import Final

DEFINITIONS: Final = {
    "Sharpe ratio": "Mean over standard deviation of what trading earned from one point of the grid to the next, "
    "without the price change of what was held, scaled to a year of 365 days. Of the winner, where the search looked.",
    "Luck's best": "The Sharpe ratio that the best of so many trials without any skill is expected to show: the error "
    "of estimate of a ratio in a sample of this length, times how high the highest of so many draws lies.",
    "Better than luck": "How sure one may be that the winner's true Sharpe ratio is above 0, although it is the best "
    "of so many: how far it is above luck's best, given the length of the sample and how often it jumps. 95 % is the "
    "usual proof.",
    "Deflated Sharpe ratio": "The same as Bailey and López de Prado published it: all differences between the measured "
    "ratios of the trials are taken for luck. Where trials differ in truth as well, it asks for more than luck can do.",
    "Overfitting": "The probability of backtest overfitting: how often the best trial of one half of the time is in "
    "the worse half of all trials in the other half. 50 % is drawing lots.",
    "Minimum length": "Luck alone is expected to bring the winner's Sharpe ratio out of so many trials in any sample "
    "that is shorter.",
    "Out of sample": "What the winners earned in windows that no search had seen, in per cent of the equity at the "
    "start of each window, summed.",
    "Beats random": "The share of random points of the same ranges that the winner did better than, out of sample.",
    "Plateau": "How much of the winner's lead over the middle trial is left in its neighbourhood: the median of the "
    "winner and the trials nearest to it. 100 % is a plateau, 0 % a spike.",
    "Effective trials": "How many independent trials the search amounts to: r + (1 − r) × trials, with the mean "
    "correlation r of the returns of all trials.",
    "Trials": "All that were made, also those that failed, were given up early, or belong to earlier sweeps that were "
    "counted in: each was a chance to be lucky.",
}
