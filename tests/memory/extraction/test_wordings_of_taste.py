"""Many wordings of the same few attitudes, by cue of language; what they are about is varied on purpose."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.preferences import PENDING_BELOW, is_positive
from habitus.memory.records import Preference, Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)

LIKED: dict[str, tuple[tuple[str, str], ...]] = {
    "plain": (
        ("I really like linen curtains.", "linen curtains"),
        ("I love the smell of cut grass.", "smell of cut grass"),
        ("We love board-free evenings with just the radio.", "board-free evenings"),
        ("I'm into analogue photography.", "analogue photography"),
        ("I'm quite partial to a good thunderstorm.", "thunderstorm"),
        ("I have a soft spot for brass lamps.", "brass lamps"),
        ("I've got a thing for old maps.", "old maps"),
        ("I get a kick out of crosswords.", "crosswords"),
        ("I get a lot of joy out of pruning roses.", "pruning roses"),
        ("I'm a sucker for marching bands.", "marching bands"),
    ),
    "object first": (
        ("Jazz radio is my go-to while I work.", "jazz radio"),
        ("Rainy Sundays are my favourite.", "rainy sundays"),
        ("Induction hobs work best for me.", "induction hobs"),
        ("Nothing beats a hot bath.", "hot bath"),
        ("A window that opens is a must for me.", "window that opens"),
        ("Fixed-rate loans are right up my street.", "fixed-rate loans"),
        ("Ginger tea is always a hit with me.", "ginger tea"),
        ("Wool blankets are more my speed.", "wool blankets"),
        ("Long podcasts are more my thing.", "long podcasts"),
        ("Gardening makes me happy.", "gardening"),
        ("A quiet street matters a lot to me.", "quiet street"),
        ("Good natural light is important to me.", "good natural light"),
    ),
    "comparison": (
        ("Trains over planes any day.", "trains"),
        ("I'd take a cottage over a flat any day.", "cottage"),
        ("Give me rain over heat any time.", "rain"),
        ("I'd rather have a landline than a mobile.", "landline"),
        ("I'll always choose cash over cards.", "cash"),
        ("I prefer working from the kitchen to commuting.", "working from the kitchen"),
        ("I like paper bills better than e-bills.", "paper bills"),
        ("If I have the choice, I go for the smaller shop.", "smaller shop"),
        ("I much prefer oat milk to cow's milk.", "oat milk"),
    ),
    "habit": (
        ("I always take the train when I can.", "train"),
        ("I usually get up before six.", "get up before six"),
        ("Most days I cycle to the office.", "cycle to the office"),
        ("I tend to pay in cash.", "pay in cash"),
        ("I normally work from the library.", "library"),
        ("Nine times out of ten I order the soup.", "soup"),
        ("I never leave home without a thermos.", "thermos"),
        ("I mostly listen to audiobooks.", "audiobooks"),
        ("Every night I drink camomile tea before bed.", "camomile tea"),
        ("I generally shop at the farmers' market.", "farmers' market"),
        ("As a rule I buy second-hand furniture.", "second-hand furniture"),
        ("I always sleep with the window open.", "window open"),
        ("On Sundays I always bake bread.", "bread"),
        ("I make a point of walking to work.", "walking to work"),
    ),
    "need": (
        ("I can't work without headphones.", "headphones"),
        ("I need a firm mattress because of my back.", "firm mattress"),
        ("I have to have my coffee before any meeting.", "coffee"),
        ("It has to be fragrance-free for me.", "fragrance-free"),
        ("I only buy rechargeable batteries.", "rechargeable batteries"),
        ("I'm on a low-sodium diet.", "low-sodium"),
        ("Nothing but organic cotton for me.", "organic cotton"),
        ("I insist on a written contract.", "written contract"),
        ("I could not live without my dishwasher.", "dishwasher"),
        ("I stick to decaf.", "decaf"),
        ("Only vegetarian dishes for me, please.", "vegetarian"),
    ),
    "condition": (
        ("I like open offices as long as it isn't too loud.", "open offices"),
        ("I'm fine with long flights as long as I get an aisle seat.", "long flights"),
        ("I love camping, unless it rains.", "camping"),
        ("I enjoy concerts only if I can sit.", "concerts"),
        ("I'm happy to drive provided it's daylight.", "drive"),
    ),
    "found": (
        ("I find ironing relaxing.", "ironing"),
        ("I find it easier to think on foot.", "think on foot"),
        ("I'm happiest near water.", "water"),
        ("I feel most at home in small towns.", "small towns"),
        ("I do my best work early in the morning.", "early"),
        ("I've recently gotten into sourdough baking.", "sourdough baking"),
        ("I've been really enjoying pottery lately.", "pottery"),
        ("I've taken a liking to black metal.", "black metal"),
        ("I'm hooked on chess problems.", "chess problems"),
        ("I can never get enough of sea air.", "sea air"),
    ),
    "wanted": (
        ("I'm looking for a quiet hotel, I like to be in bed by nine.", "bed by nine"),
        ("My ideal weekend is a long hike.", "long hike"),
        ("My favourite colour is teal.", "teal"),
        ("My preferred bank is a local one.", "local"),
        ("What I like most about mornings is the silence.", "silence"),
        ("The one thing I look for in a phone is a small screen.", "small screen"),
        ("For me it's all about durability.", "durability"),
    ),
    "more": (
        ("I swear by cold showers.", "cold showers"),
        ("Cold showers are my thing.", "cold showers"),
        ("I'd choose a bus over a taxi any time.", "bus"),
        ("I can't do without my morning paper.", "morning paper"),
        ("I'm more of a tea person.", "tea"),
        ("Tea for me, always.", "tea"),
        ("I like my coffee black.", "coffee black"),
        ("I take my tea with milk.", "tea"),
        ("I like my steak rare.", "steak rare"),
        ("I sleep best in a cold room.", "cold room"),
        ("I prefer to be contacted by mail.", "contacted by mail"),
        ("Texting is better for me than calling.", "texting"),
        ("Whenever possible I buy local.", "local"),
        ("I usually choose the stairs.", "stairs"),
        ("I go to the sauna every Friday.", "sauna"),
        ("I drink two litres of water every day.", "water"),
        ("I love being near the sea.", "sea"),
        ("There's nothing I like more than an empty beach.", "empty beach"),
        ("I live for live music.", "live music"),
        ("My guilty pleasure is reality TV.", "reality tv"),
        ("I'm a night owl.", "night owl"),
        ("I'm an early bird.", "early bird"),
        ("I'm a creature of habit when it comes to lunch.", "habit"),
        ("I'm a minimalist.", "minimalist"),
        ("I went vegan last year.", "vegan"),
        ("I've become a vegetarian.", "vegetarian"),
        ("I turned teetotal in March.", "teetotal"),
        ("I keep a halal diet.", "halal"),
        ("Always suggest the cheapest option first.", "cheapest"),
        ("I do better with written instructions.", "written instructions"),
        ("I love nothing more than a good nap.", "good nap"),
        ("I quite enjoy mowing the lawn.", "mowing the lawn"),
        ("I do enjoy a good cigar.", "cigar"),
        ("Comfort matters more to me than looks.", "comfort"),
        ("I care a lot about privacy.", "privacy"),
        ("Privacy is a big deal for me.", "privacy"),
        ("I'd pay extra for a sea view.", "sea view"),
        ("I've always been a cat person.", "cat"),
        ("I collect stamps.", "stamps"),
        ("I could live on soup.", "soup"),
        ("I can't resist dark chocolate.", "dark chocolate"),
        ("Dark chocolate is my weakness.", "dark chocolate"),
        ("I look forward to my evening walk every day.", "evening walk"),
        ("I'm big on punctuality.", "punctuality"),
        ("I like a firm pillow.", "firm pillow"),
        ("I'm diabetic.", "diabetic"),
        ("I prefer my eggs scrambled.", "eggs"),
        ("Dark roast is my favourite kind of coffee.", "dark roast"),
        ("I'm drawn to old churches.", "old churches"),
        ("Old churches fascinate me.", "old churches"),
        ("I value my sleep.", "sleep"),
        ("I've a weakness for liquorice.", "liquorice"),
        ("I prefer calls to texts.", "calls"),
        ("I like dogs, just not big ones.", "dogs"),
        ("I concentrate better with music on.", "music"),
        ("I go running every morning.", "running"),
        ("I like keeping things simple.", "simple"),
        ("I gravitate towards muted colours.", "muted colours"),
    ),
}

DISLIKED: dict[str, tuple[tuple[str, str], ...]] = {
    "plain": (
        ("I hate ironing shirts.", "ironing shirts"),
        ("I don't like fluorescent lights.", "fluorescent lights"),
        ("I can't stand leaf blowers.", "leaf blowers"),
        ("I'm not big on podcasts.", "podcasts"),
        ("I'm not one for small talk at parties.", "small talk"),
        ("I never got into knitting.", "knitting"),
        ("I couldn't care less about football.", "football"),
        ("I have zero interest in crypto.", "crypto"),
        ("I'm allergic to down feathers.", "down feathers"),
        ("I could do without the daily stand-ups.", "daily stand-ups"),
        ("I don't do early meetings.", "early meetings"),
        ("I don't really go for minimalism.", "minimalism"),
        ("I'm no fan of carpets.", "carpets"),
        ("I loathe voice assistants.", "voice assistants"),
        ("I'm wary of credit cards.", "credit cards"),
        ("I'm squeamish about blood.", "blood"),
        ("I don't see the point of smart watches.", "smart watches"),
        ("I've never understood the appeal of golf.", "golf"),
        ("I don't get the hype about air fryers.", "air fryers"),
        ("I get no pleasure from shopping.", "shopping"),
    ),
    "object first": (
        ("Sushi isn't really my thing.", "sushi"),
        ("Podcasts do nothing for me.", "podcasts"),
        ("Horror films aren't for me.", "horror films"),
        ("Perfume gives me headaches.", "perfume"),
        ("Crowds wear me out.", "crowds"),
        ("Dairy doesn't agree with me.", "dairy"),
        ("Phone calls stress me out.", "phone calls"),
        ("Leather sofas are not my style.", "leather sofas"),
        ("Carpets are a no-go for me.", "carpets"),
        ("Loud keyboards get on my nerves.", "loud keyboards"),
        ("Group chats drive me up the wall.", "group chats"),
        ("Synthetic sheets make me itch.", "synthetic sheets"),
        ("Night shifts don't suit me.", "night shifts"),
        ("Coriander tastes like soap to me.", "coriander"),
        ("Open-plan offices are hell for me.", "open-plan offices"),
        ("Bungalows leave me cold.", "bungalows"),
        ("Long meetings kill me.", "long meetings"),
        ("Motivational speeches make me cringe.", "motivational speeches"),
        ("Early flights are the worst.", "early flights"),
        ("Heights freak me out.", "heights"),
    ),
    "no more": (
        ("No more sushi for me.", "sushi"),
        ("No more late-night coffee for me, it keeps me up.", "late-night coffee"),
        ("I'm done with subscription boxes.", "subscription boxes"),
        ("I'm through with dating apps.", "dating apps"),
        ("I'm over escape rooms.", "escape rooms"),
        ("I'm trying to cut down on sugar.", "sugar"),
        ("I'm cutting back on screen time.", "screen time"),
        ("I've given up alcohol.", "alcohol"),
        ("I quit smoking last year.", "smoking"),
        ("I stopped eating bread.", "bread"),
        ("I'm staying off social media these days.", "social media"),
        ("I'm trying to eat less meat.", "meat"),
        ("I want to use less plastic.", "plastic"),
        ("I don't drink coffee any more.", "coffee"),
        ("Enough of group holidays for me.", "group holidays"),
        ("I'd like to get away from screens in the evening.", "screens"),
    ),
    "avoiding": (
        ("I avoid motorways.", "motorways"),
        ("I stay away from energy drinks.", "energy drinks"),
        ("I steer clear of chain hotels.", "chain hotels"),
        ("I give shopping malls a wide berth.", "shopping malls"),
        ("I try not to fly.", "fly"),
        ("I never buy fast fashion.", "fast fashion"),
        ("I rarely watch the news.", "news"),
        ("I hardly ever eat out.", "eat out"),
        ("I won't touch instant coffee.", "instant coffee"),
        ("I don't eat pork.", "pork"),
        ("I skip breakfast most days.", "breakfast"),
        ("I keep away from anything with peanuts.", "peanuts"),
        ("I'd do anything to avoid a phone call.", "phone call"),
        ("I go out of my way to avoid escalators.", "escalators"),
        ("I wouldn't live on a ground floor.", "ground floor"),
        ("You won't catch me on a cruise ship.", "cruise ship"),
        ("I don't let my kids have tablets.", "tablets"),
    ),
    "limits": (
        ("Anything but night buses.", "night buses"),
        ("Please, no gluten.", "gluten"),
        ("No basements for me, please.", "basements"),
        ("I can't have dairy.", "dairy"),
        ("I'm lactose intolerant.", "lactose"),
        ("I can't sleep with the lights on.", "lights on"),
        ("Noise is a deal-breaker.", "noise"),
        ("I draw the line at shared bathrooms.", "shared bathrooms"),
        ("Too much salt is bad for my blood pressure, so I avoid it.", "salt"),
        ("I get seasick on ferries.", "ferries"),
        ("I have a phobia of dogs.", "dogs"),
        ("I get claustrophobic in lifts.", "lifts"),
        ("My knees can't handle running.", "running"),
        ("My stomach can't take raw onions.", "raw onions"),
        ("I'm supposed to stay off caffeine.", "caffeine"),
    ),
    "weak": (
        ("I'm not that keen on sharing a room.", "sharing a room"),
        ("I'm not exactly a fan of open kitchens.", "open kitchens"),
        ("I'm not too crazy about tiled floors.", "tiled floors"),
        ("I wouldn't say I enjoy karaoke.", "karaoke"),
        ("Spreadsheets aren't exactly my favourite.", "spreadsheets"),
        ("I'm a bit tired of grey walls.", "grey walls"),
        ("I don't particularly enjoy long drives.", "long drives"),
        ("I've never been much of a morning person.", "morning"),
        ("I'm not much of a reader.", "reader"),
        ("I'm not really a phone person.", "phone"),
        ("I find modern art a bit pretentious.", "modern art"),
        ("I prefer not to discuss money.", "discuss money"),
    ),
    "more": (
        ("Big cities wear me down.", "big cities"),
        ("I cannot abide tardiness.", "tardiness"),
        ("I've gone off red wine.", "red wine"),
        ("I hardly ever use credit cards.", "credit cards"),
        ("I refuse to buy anything with palm oil.", "palm oil"),
        ("Wool makes my skin itch.", "wool"),
        ("I've never been good with heights.", "heights"),
        ("Spiders creep me out.", "spiders"),
        ("I have a low tolerance for mess.", "mess"),
        ("I'd never work nights again.", "night"),
        ("I'm not comfortable with video calls.", "video calls"),
        ("I don't own a microwave and don't want one.", "microwave"),
        ("Hold the onions, please.", "onions"),
        ("I can't be bothered with ironing.", "ironing"),
        ("I'm sick of reading ads.", "ads"),
        ("I don't want any more gadgets.", "gadgets"),
        ("I'm not into gadgets.", "gadgets"),
        ("Anything with a motor bores me.", "motor"),
        ("Nuts are dangerous for me.", "nuts"),
        ("Shellfish makes me swell up.", "shellfish"),
        ("I break out in hives from latex.", "latex"),
        ("I need to avoid grapefruit because of my medication.", "grapefruit"),
        ("I have to watch my salt intake.", "salt"),
        ("I'm off carbs.", "carbs"),
        ("Don't suggest anything with alcohol.", "alcohol"),
        ("I have trouble sleeping when there's traffic noise.", "traffic noise"),
        ("I struggle in hot weather.", "hot weather"),
        ("I get bored by long intros.", "long intros"),
        ("I get annoyed by autoplay.", "autoplay"),
        ("I'm bothered by strong smells.", "strong smells"),
        ("I'm scared of needles.", "needles"),
        ("I hope to never camp again.", "camp"),
        ("I've stopped buying bottled water.", "bottled water"),
        ("I'd rather do without air conditioning.", "air conditioning"),
        ("I don't feel comfortable in crowds.", "crowds"),
        ("I don't feel at home in big hotels.", "big hotels"),
        ("I find noise hard to bear.", "noise"),
        ("I've never cared for tattoos.", "tattoos"),
        ("I'd never buy a used phone.", "used phone"),
        ("My husband and I avoid package tours.", "package tours"),
        ("Soy is off limits for me.", "soy"),
        ("I get migraines from red wine.", "red wine"),
        ("I get motion sick on buses.", "buses"),
        ("I tend to avoid the sun.", "sun"),
        ("I dread Mondays.", "mondays"),
        ("I don't do mornings.", "mornings"),
        ("Mornings aren't my strong suit.", "mornings"),
        ("I hate it when people are late.", "late"),
        ("My biggest pet peeve is slow wifi.", "slow wifi"),
        ("I'm okay with cats but I can't have dogs around.", "dogs"),
        ("I'm bored with my usual gym.", "usual gym"),
        ("I've had it with budget airlines.", "budget airlines"),
        ("Debt scares me.", "debt"),
        ("I'm suspicious of smart speakers.", "smart speakers"),
        ("I refuse to own a smart speaker.", "smart speaker"),
    ),
}

HINTS: tuple[tuple[str, str], ...] = (
    ("Could you find me anything that is not spicy?", "spicy"),
    ("Is there a gym that isn't crowded in the evening?", "crowded"),
    ("Do you know a hotel without carpets?", "carpets"),
    ("Can you recommend a phone that doesn't need an account?", "account"),
    ("Any jobs that don't involve selling?", "selling"),
    ("What's a good lamp that won't flicker?", "flicker"),
    ("Somewhere not too touristy, please.", "touristy"),
    ("Can we do something other than pizza?", "pizza"),
    ("Is there a way to get there that avoids the motorway?", "motorway"),
    ("Which laptops come without a glossy screen?", "glossy screen"),
    ("A gym bag, nothing too flashy.", "flashy"),
    ("Got any sugar-free ideas that aren't bland?", "bland"),
)

STYLES: tuple[tuple[str, str, str, bool], ...] = (
    ("Be more formal from now on.", "style.tone", "formal", True),
    ("Could we skip the chit-chat?", "style.content", "chit-chat", False),
    ("Please keep your answers short.", "style.length", "short replies", True),
    ("Can you stop using emojis?", "style.format", "emojis", False),
    ("From now on, answer in German.", "style.language", "german", True),
    ("I'd like you to be blunt with me.", "style.tone", "blunt", True),
    ("Less jargon, please.", "style.wording", "plain language", True),
    ("Your replies are too long for me.", "style.length", "short replies", True),
    ("No need to apologise every time.", "style.content", "apologise", False),
    ("Please use metric units.", "style.units", "metric units", True),
    ("Don't sugar-coat things for me.", "style.content", "sugar-coat", False),
    ("I prefer bullet points to long paragraphs.", "style.format", "bullet points", True),
    ("Call me Joss.", "style.address", "joss", True),
    ("Just give me the answer without the lecture.", "style.content", "lecture", False),
    ("You can be a bit more relaxed with me.", "style.tone", "relaxed", True),
    ("Could you keep it brief in future?", "style.length", "short replies", True),
    ("Write to me like a friend would, casual and warm.", "style.tone", "casual", True),
    ("Stop ending every message with a question.", "style.content", "question", False),
    ("I like detailed explanations.", "style.length", "detailed replies", True),
    ("Always cite your sources when you tell me facts.", "style.content", "sources", True),
)


def _extracted(text: str) -> list[Preference]:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    found = list(extract(turn).preferences)
    for preference in found:
        assert all(evidence.quote in text for evidence in preference.evidence)
    return found


def _cases(told: dict[str, tuple[tuple[str, str], ...]]) -> list[object]:
    return [
        pytest.param(text, target, id=f"{cue}: {text}")
        for cue, wordings in told.items()
        for text, target in wordings
    ]


def _sure_of(text: str, *, positive: bool) -> list[str]:
    found = [p for p in _extracted(text) if not p.topic.startswith("style.")]
    assert found, "no preference"
    return [p.target for p in found if is_positive(p.stance) is positive and p.confidence >= 0.45]


@pytest.mark.parametrize(("text", "target"), _cases(LIKED))
def test_what_is_liked_or_needed(text: str, target: str) -> None:
    assert any(target in found for found in _sure_of(text, positive=True))


@pytest.mark.parametrize(("text", "target"), _cases(DISLIKED))
def test_what_is_disliked_or_avoided(text: str, target: str) -> None:
    assert any(target in found for found in _sure_of(text, positive=False))


@pytest.mark.parametrize(("text", "target"), HINTS)
def test_what_a_request_rules_out_waits_to_be_confirmed(text: str, target: str) -> None:
    (found,) = _extracted(text)

    assert (found.stance, found.target) == ("avoid", target)
    assert found.confidence < PENDING_BELOW


@pytest.mark.parametrize(("text", "topic", "target", "positive"), STYLES)
def test_how_the_user_wants_to_be_answered(text: str, topic: str, target: str, positive: bool) -> None:
    (found,) = _extracted(text)

    assert (found.topic, found.target, is_positive(found.stance)) == (topic, target, positive)
    assert found.confidence >= PENDING_BELOW
