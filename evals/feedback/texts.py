"""What simulated replies consist of: requests, points and options. All of it is this module's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LANGUAGES = ("English", "German", "French")


@dataclass(frozen=True)
class Domain:
    """Something that users ask about.

    Attributes:
        requests: questions, in other words each.
        options: what a reply may propose; users like and dislike some of them.
    """

    requests: tuple[str, ...]
    options: tuple[str, ...]


DOMAINS = (
    Domain(
        (
            "What could I cook for four guests on Friday?",
            "Which dinner would you make for a small party?",
            "What shall I serve when my colleagues come over?",
        ),
        ("mushroom risotto", "grilled trout", "lentil curry", "potato gratin"),
    ),
    Domain(
        (
            "What could I do on a free Sunday?",
            "How would you spend a day off in autumn?",
            "Which outing would you plan for the weekend?",
        ),
        ("a canoe tour", "a pottery class", "a flea market", "a chess cafe"),
    ),
    Domain(
        (
            "What present would you give a friend who turns forty?",
            "Which gift suits a neighbour who helped me move?",
            "What should I bring to a birthday on short notice?",
        ),
        ("a fountain pen", "a potted olive tree", "concert tickets", "a wool blanket"),
    ),
    Domain(
        (
            "How do I get fitter before the summer?",
            "Which training would you start after a long break?",
            "What exercise fits into a busy week?",
        ),
        ("rowing", "swimming", "climbing", "table tennis"),
    ),
    Domain(
        (
            "How should I prepare for the language exam?",
            "What helps me learn vocabulary faster?",
            "Which way of studying would you choose for a test in May?",
        ),
        ("flash cards", "radio plays", "a tandem partner", "grammar drills"),
    ),
    Domain(
        (
            "Where could we go for a week in March?",
            "Which trip would you take by train?",
            "What destination would you choose for a short holiday?",
        ),
        ("the Black Forest", "Lake Garda", "Ghent", "the Tatra mountains"),
    ),
)

POINTS: dict[str, tuple[str, ...]] = {
    "English": (
        "decide on the budget before you look at any single offer",
        "ask two people you trust what they have tried themselves",
        "write down the three things that matter most to you",
        "keep one evening free to prepare everything without any hurry",
        "compare a cheap and a dear version before you choose",
        "check the weather and have a second plan at hand",
        "start with a small step and see how it feels",
        "note what went well so that the next time is easier",
        "leave room for a break in the middle of the day",
        "tell the others early so that they can plan with you",
        "buy only what you cannot borrow from friends or neighbours",
        "look at the calendar for holidays that could get in the way",
    ),
    "German": (
        "das Budget festlegen und erst dann die Angebote ansehen",
        "zwei Freunde fragen und die Antworten in Ruhe vergleichen",
        "die drei Dinge aufschreiben die für dich wichtig sind",
        "einen Abend frei halten und alles ohne Eile vorbereiten",
        "eine günstige und eine teure Variante vergleichen und dann wählen",
        "das Wetter prüfen und einen zweiten Plan bereit haben",
        "mit einem kleinen Schritt beginnen und sehen wie es ist",
        "sich merken was gut war und was nicht so gut war",
        "eine Pause in der Mitte des Tages einplanen und auch nehmen",
        "den anderen früh Bescheid geben und mit ihnen planen",
        "nur kaufen was die Nachbarn oder Freunde nicht leihen können",
        "den Kalender ansehen und auf die Feiertage achten",
    ),
    "French": (
        "fixer le budget et ensuite regarder les offres avec calme",
        "demander à deux amis ce que vous pouvez attendre de la chose",
        "noter les trois points qui sont les plus importants pour vous",
        "garder une soirée libre pour tout préparer dans le calme",
        "comparer une version simple et une version chère avant de choisir",
        "regarder la météo et avoir un autre plan pour la journée",
        "commencer par un petit pas et voir ce que cela donne",
        "écrire ce qui est bien pour que la suite soit plus facile",
        "prévoir une pause dans la journée et la prendre avec plaisir",
        "parler avec les autres tôt pour que le plan soit clair",
        "acheter seulement ce que vous ne pouvez pas emprunter à des amis",
        "voir le calendrier et les fêtes qui sont dans le mois",
    ),
}
"""Twelve things that fit any request, in the same order in every language."""

FRAMES: dict[tuple[str, Literal["plain", "casual", "formal"]], tuple[str, str]] = {
    ("English", "plain"): ("You can {}.", "Choose {}."),
    ("English", "casual"): ("You'll want to {}.", "Hey, let's go for {}."),
    ("English", "formal"): ("It is advisable to {}.", "It is recommended to choose {}."),
    ("German", "plain"): ("Es ist gut, {}.", "Mein Vorschlag ist {}."),
    ("French", "plain"): ("Il est bon de {}.", "Je propose {} pour vous."),
}
"""By language and tone: how a point is put, and how an option is proposed."""

GREETING = {"English": "Hello Sam,", "German": "Hallo Sam,", "French": "Bonjour Sam,"}
CLOSING = {
    "English": "Let me know if this helps.",
    "German": "Let me know if this helps.",
    "French": "Let me know if this helps.",
}
QUESTION = {
    "English": "Which of these comes nearest to what you had in mind?",
    "German": "Was davon ist für dich das Richtige?",
    "French": "Et qui est le plus proche de votre idée?",
}
EXAMPLE = {
    "English": "For example, one friend of mine did all of it in two days.",
    "German": "Zum Beispiel war ein Freund mit allem in zwei Tagen fertig.",
    "French": "Par exemple, un ami a tout fait en deux jours.",
}
HEADING = {"English": "## Some ideas", "German": "## Die Ideen", "French": "## Les idées"}
HEDGE = "Perhaps this depends on the day, and it might differ for you."
EMOJI = "🙂"
