"""What everybody may do at every address: written by hand, and compared with what the portal does.

It is never computed from `clusters.policy`: where the two differ, one of them is wrong.
"""

from collections.abc import Mapping

IDENTITIES = (
    "anonymous",
    "disabled",  # a lead who was switched off while signed in
    "removed",  # from the team of “own”
    "norole",
    "owner",  # of the team of “own”
    "editor",  # of the same team
    "other",  # owner of the team of “other”
    "former",  # owner of the team whose management of cluster “own” ended yesterday
    "expert",
    "policymaker",  # follows programme “mine”
    "policyother",  # follows programme “theirs”
    "secretariat",  # an editor of the secretariat
    "lead",
    "auditor",
    "root",
)
VISITORS = ("anonymous", "disabled")  # of whom nobody is signed in
STRANGERS = (*VISITORS, "removed", "norole")  # who do not enter admin
# Everybody’s rights are asked of the policy and of the admin classes (rights.py); by pages ask one
# person for each role, and fewer where only some can tell the difference.
BY_PAGES = (
    "anonymous", "norole", "owner", "expert", "policymaker", "secretariat", "lead", "auditor",
    "root",
)  # fmt: skip
PUBLIC_AS = ("anonymous", "owner", "root")
OWN_AS = ("anonymous", "disabled", "norole", "owner", "root")
COUNTS_AS = ("owner", "policymaker", "auditor")
MEANINGLESS_METHODS_AS = ("anonymous", "owner")
MEANINGLESS_METHODS_OF = ("clusters.cluster", "clusters.event")
ENTERING = tuple(name for name in IDENTITIES if name not in STRANGERS)

# The rows of admin. A column is the state of a row, “new” a row to add. Letters: V view, A add,
# C change (c: allowed, but nobody disables themselves or demotes the last owner), D delete (d:
# allowed, but something refers to the row, or it is the last owner), P publish, R read and restore
# old versions. A person without a line does not know that there is such a list; with “-” in every
# column they have an empty list.
ADMIN = """
clusters.cluster             own      draft    other    hidden   new
  owner editor               VC       VC       -        -        -
  other                      -        -        VC       -        -
  former                     -        -        -        -        -
  policymaker                V        -        -        -        -
  policyother                -        -        V        -        -
  secretariat lead root      VCPR     VCDPR    VCPR     VCDPR    A
  auditor                    V        V        V        V        -

clusters.clustername         own      draft    other    hidden   new
  owner editor               V        V        -        -        -
  other                      -        -        V        -        -
  former                     -        -        -        -        -
  policymaker                V        -        -        -        -
  policyother                -        -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        -

clusters.clustertext         own      draft    other    hidden   new
  owner editor               VCD      VCD      -        -        -
  other                      -        -        VCD      -        -
  former                     -        -        -        -        -
  policymaker                V        -        -        -        -
  policyother                -        -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        -

clusters.membershipcount     own      draft    other    hidden   new
  owner editor               VCD      VCD      -        -        -
  other                      -        -        VCD      -        -
  former                     -        -        -        -        -
  policymaker                V        -        -        -        -
  policyother                -        -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        -

clusters.factsource          own      draft    other    hidden   new
  owner editor               V        V        -        -        -
  other                      -        -        V        -        -
  former                     -        -        -        -        -
  policymaker                V        -        -        -        -
  policyother                -        -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        -

clusters.management          own      draft    ended    hidden   other    new
  owner editor               V        V        V        -        -        -
  other                      -        -        -        -        V        -
  former                     -        -        V        -        -        -
  policymaker                V        -        V        -        -        -
  policyother                -        -        -        -        V        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        V        -

clusters.lineage             draft    hidden   new
  secretariat lead root      VCDR     VCDR     -
  auditor                    V        V        -

clusters.organisation        own      other    former   hidden   new
  owner editor               VC       -        -        -        -
  other                      -        VC       -        -        -
  former                     -        -        VC       -        -
  secretariat lead root      VCPR     VCPR     VCPR     VCdPR    A
  auditor                    V        V        V        V        -

clusters.organisationname    own      other    former   hidden   new
  owner editor               V        -        -        -        -
  other                      -        V        -        -        -
  former                     -        -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        -

clusters.shareholding        own      hidden   new
  secretariat lead root      VCDR     VCDR     -
  auditor                    V        V        -

clusters.programme           mine     theirs   hidden   new
  policymaker                V        -        -        -
  policyother                -        V        -        -
  secretariat lead root      VCPR     VCPR     VCDPR    A
  auditor                    V        V        V        -

clusters.participation       mine     theirs   draft    new
  policymaker                V        -        -        -
  policyother                -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     -
  auditor                    V        V        V        -

labels.requiredlevel         mine     theirs   hidden   new
  policymaker                V        -        -        -
  policyother                -        V        -        -
  secretariat lead root      VCDR     VCDR     VCDR     -
  auditor                    V        V        V        -

clusters.portfolio           row      new
  secretariat auditor expert V        -
  lead root                  VCDR     A

clusters.region              row      new
  secretariat auditor        V        -
  lead root                  VCDR     A

labels.labelsource           own      unpublished other  new
  owner editor               V        -        -        -
  other                      -        -        V        -
  former                     -        -        -        -
  policymaker                V        -        -        -
  policyother                -        -        V        -
  secretariat lead root      VCDR     VCDR     VCDR     -
  auditor                    V        V        V        -

labels.label                 own      unpublished other  new
  owner editor               V        -        -        -
  other                      -        -        V        -
  former                     -        -        -        -
  policymaker                V        -        -        -
  policyother                -        -        V        -
  secretariat                VC       V        VC       A
  lead root                  VCR      V        VCR      A
  auditor                    V        V        V        -

labels.suspension            own      other    new
  secretariat auditor lead root  V    V        -

labels.decision              waiting  made     new
  secretariat auditor lead root  V    V        -

labels.rulechange            waiting  made     new
  secretariat auditor lead root  V    V        -

labels.level                 row      new
  secretariat auditor        V        -
  lead root                  VCdR     A

labels.levelrule             row      new
  secretariat auditor lead root  V    -

labels.issuingbody           row      new
  secretariat auditor        V        -
  lead root                  VCDR     A

labels.issuingbodyrole       row      new
  secretariat auditor        V        -
  lead root                  VCDR     -

labels.indicatorset          row      new
  secretariat auditor        V        -
  lead root                  VCDR     A

labels.indicator             row      new
  secretariat auditor        V        -
  lead root                  VCDR     -

labels.statement             row      new
  secretariat lead root      VCDR     A
  auditor                    V        -

news.announcement            draft    review   public   otherdraft other  secretariat new
  owner editor               VCD      V        V        -        -        -        A
  other                      -        -        -        VCD      V        -        A
  former                     -        -        -        -        -        -        A
  secretariat lead root      VCDPR    VCDPR    VCPR     VCDPR    VCPR     VCDPR    A
  auditor                    V        V        V        V        V        V        -

news.announcementtext        draft    review   public   otherdraft other  secretariat new
  owner editor               VCD      V        V        -        -        -        -
  other                      -        -        -        VCD      V        -        -
  former                     -        -        -        -        -        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        V        V        -

news.picture                 draft    review   public   otherdraft other  secretariat new
  owner editor               VCD      V        V        -        -        -        -
  other                      -        -        -        VCD      V        -        -
  former                     -        -        -        -        -        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        V        V        -

news.attachment              draft    review   public   otherdraft other  secretariat new
  owner editor               VCD      V        V        -        -        -        -
  other                      -        -        -        VCD      V        -        -
  former                     -        -        -        -        -        -        -
  secretariat lead root      VCDR     VCDR     VCDR     VCDR     VCDR     VCDR     -
  auditor                    V        V        V        V        V        V        -

news.correction              public   other    new
  owner editor               V        -        -
  other                      -        V        -
  former                     -        -        -
  secretariat lead root      VCDR     VCDR     -
  auditor                    V        V        -

news.reviewcomment           draft    review   otherdraft secretariat new
  owner editor               V        V        -        -        -
  other                      -        -        V        -        -
  former                     -        -        -        -        -
  secretariat lead root      VC       VC       VC       VC       -
  auditor                    V        V        V        V        -

news.topic                   row      new
  owner editor other former  V        -
  secretariat lead root      VCDR     A
  auditor                    V        -

clusters.account             below    member   lead     otherlead root    new
  lead                       VC       VC       V        -        -        -
  auditor                    V        V        V        V        V        -
  root                       VC       VC       VC       VC       Vc       -

clusters.teammember          owner    editor   other    former   new
  owner                      Vcd      VCD      -        -        -
  editor                     V        VD       -        -        -
  other                      -        -        Vcd      -        -
  former                     -        -        -        Vcd      -
  lead root                  Vcd      VCD      Vcd      Vcd      -
  secretariat auditor        V        V        V        V        -

clusters.mandate             mine     theirs   new
  lead root                  VD       VD       A
  auditor                    V        V        -

clusters.invitation          own      other    role     new
  owner                      V        -        -        A
  editor                     -        -        -        -
  other                      -        V        -        A
  former                     -        -        -        A
  lead root                  V        V        V        A
  auditor                    V        V        V        -

clusters.claim               row      new
  lead root                  VC       -
  secretariat auditor        V        -

clusters.confirmationrequest row      new
  secretariat lead auditor root  V    -

labels.notice                row      new
  secretariat lead auditor root  V    -

labels.delivery              row      new
  secretariat lead auditor root  V    -

clusters.problemreport       row      new
  secretariat lead           VC       -
  root                       VCDR     -
  auditor                    V        -

clusters.event               row      new
  lead auditor root          V        -

clusters.mail                row      new
  lead root                  V        -

news.subscription            row      new
  secretariat lead auditor root  V    -

labels.expert                own      other    new
  expert                     VC       -        -
  lead root                  VCDR     VCDR     A
  auditor                    V        V        -
"""

Grid = Mapping[str, Mapping[str, str]]  # letters by identity and state


def parsed(text: str) -> dict[str, Grid]:
    grids: dict[str, Grid] = {}
    for block in text.strip().split("\n\n"):
        header, *lines = block.splitlines()
        label, *states = header.split()
        grid: dict[str, dict[str, str]] = {}
        for line in lines:
            words = line.split()
            letters = [word.strip("-") for word in words[-len(states) :]]
            for identity in words[: -len(states)]:
                assert identity in IDENTITIES, f"{label}: who is {identity}?"
                grid[identity] = dict(zip(states, letters, strict=True))
        grids[label] = grid
    return grids


GRIDS = parsed(ADMIN)
# The first person of each line.
LEADING = {
    block.split()[0]: {line.split()[0] for line in block.splitlines()[1:]}
    for block in ADMIN.strip().split("\n\n")
}


def letters(label: str, identity: str, state: str) -> str:
    return GRIDS[label].get(identity, {}).get(state, "")


# What a person without every field changes, if they send all fields of the form and of its parts
# changed. Whoever is not named here, and may change the row, changes every field.
TEAM = ("owner", "editor", "other", "former")
CHANGED = {
    ("clusters.cluster", TEAM): """
        cluster.town cluster.website cluster.eccp_url cluster.contact_address
        cluster.is_contact_shown clustertext.tagline clustertext.description
        membershipcount.count membershipcount.source
    """,
    ("clusters.organisation", TEAM): """
        organisation.town organisation.website organisation.role_address
        organisation.is_address_shown
    """,
    ("news.announcement", TEAM): """
        announcementtext.title announcementtext.slug announcementtext.lead announcementtext.body
        picture.alt_en picture.alt_it picture.credit_en picture.credit_it
        attachment.title_en attachment.title_it
    """,
    ("news.picture", TEAM): """
        picture.alt_en picture.alt_it picture.credit_en picture.credit_it
    """,
    ("news.attachment", TEAM): """
        attachment.title_en attachment.title_it
    """,
    ("news.announcementtext", TEAM): """
        announcementtext.title announcementtext.slug announcementtext.lead announcementtext.body
    """,
}

# Of the rows that they see, some may not be deleted: then none is, in bulk.
BULK_DELETE_REFUSED = dict.fromkeys(
    ("news.announcementtext", "news.picture", "news.attachment"), ("owner", "editor", "other")
)

# Names of published rows that stand beside a row that the person sees.
BESIDE = {
    "owner": "zqorganisationformer",
    "editor": "zqorganisationformer",
    "former": "zqclusterown",
    "policymaker": "zqorganisationown zqorganisationformer",
    "policyother": "zqorganisationother",
}
# Whose address a person reads: their own, and their team's.
READS_ADDRESSES = {"owner": "owner editor", "editor": "owner editor"}
READS_EVERY_ADDRESS = ("secretariat", "lead", "auditor", "root")

# Who sees some rows of a model and not all; whoever sees all of them reads every field.
PARTLY_SEEING = ("owner", "editor", "other", "former", "expert", "policymaker", "policyother")

# Of the models of which they see rows, the fields that are not public (docs/privacy-data.md), and
# after the bar who of them reads these in admin. All others do not meet a value of it anywhere.
FIELDS = """
clusters.cluster       is_published                           | team policymaker policyother
clusters.cluster       contact_address is_contact_shown       | team
clusters.organisation  is_published is_address_shown role_address | team
clusters.programme     is_published                           | policymaker policyother
labels.label           is_published                           | team policymaker policyother
labels.label           benchmarked_on areas_of_improvement days_are_exact decision |
news.announcement      state                                  | team
news.announcement      reviewer approved_digest               |
news.reviewcomment     announcement written_at text is_resolved | team
news.reviewcomment     author                                 |
clusters.teammember    organisation account role joined_at    | team
clusters.invitation    email organisation team_role role programme language created_at \
    expires_at accepted_at withdrawn_at                       | team
clusters.invitation    invited_by                             |
labels.expert          account country languages accredited_on | expert
"""

# Every address outside admin, by its name; behind it the states of rows at which it stands, and
# after “not” those at which it does not.
#   page   the same bytes for everybody, read only
#   open   the same, from any origin
#   form   for everybody, read and sent
#   asked  for machines everywhere: read, sent in their formats only, from any origin
#   guest  for who is not signed in; others are led on. “shown”: the same, read only
#   begun  only in the middle of signing in
#   again  asks who is signed in for a proof of which nobody here has any
#   own    asks to sign in, then one’s own matters. “mine”: read only; “sent”: never read
ADDRESSES = """
home                              page
about                             page
accessibility                     page
privacy                           page
data                              page
corrections                       page
search                            page
opensearch                        page  list/en list/it not list/de
healthz                           page
readyz                            page
sitemap                           page
robots                            page
security_txt                      page
news_feed                         page
news_json                         page
news_ics                          page
event_ics                         page  event/public not event/draft
announcement_picture              page  not picture/public picture/draft
api                               open  api/clusters api/clusters/facets api/cluster-own \
    api/cluster-other api/organisations api/organisation-own api/programmes api/programme-mine \
    api/labels api/label-own api/announcements api/announcement-public api/portfolios \
    api/regions api/levels api/statements api/openapi.json api/docs api/verify \
    not api/cluster-draft api/cluster-hidden api/organisation-hidden api/programme-hidden \
    api/label-unpublished api/announcement-draft
clusters:list                     page
clusters:map                      page
clusters:compare                  page
compare_csv                       page
clusters:organisation_list        page
clusters:programme_list           page
clusters:programme_compare        page
programmes_csv                    page
labels:list                       page
labels:scheme                     page
labels:verify                     form
labels:figures                    page
figures_holders_csv               page
figures_countries_csv             page
figures_sectors_csv               page
figures_awards_csv                page
figures_renewals_csv              page
figures_times_csv                 page
news:list                         page
news:year                         page  2015
news:month                        page  2015-09
news:follow                       page
media                             page  not x/y.png
clusters:detail                   page  cluster/own cluster/other not cluster/draft cluster/hidden
clusters:organisation_detail      page  organisation/own not organisation/hidden
clusters:programme_detail         page  programme/mine programme/theirs not programme/hidden
labels:detail                     page  label/own not label/unpublished
label_credential                  page  label/own not label/unpublished
label_certificate                 page  certificate/own not certificate/unpublished
status_list                       page  list/revocation list/suspension not list/message
signing_keys                      page
labels_csv                        page
labels_xlsx                       page
labels_json                       page
labels_atom                       page
labels_ics                        page
clusters_csv                     page
clusters_xlsx                    page
clusters_json                    page
clusters_jsonld                  page
clusters_atom                    page
clusters_ics                     page
label_seal                        page  label/own not label/unpublished
cluster_seal                      page  register/own not register/hidden
programme_requirement             page  programme/mine programme/theirs not programme/hidden
label_json                        page  label/own not label/unpublished
news:detail                       page  announcement/public not announcement/draft
news:pdf                          page  announcement/public not announcement/draft
news:preview                      page  not forged
news:preview_picture              page  not 0forged-1
news:preview_attachment           page  not 0forged-1
clusters:cluster_contact          form  cluster/own not cluster/draft cluster/hidden
clusters:cluster_report           form  cluster/own not cluster/draft cluster/hidden
clusters:organisation_contact     form  organisation/own not organisation/hidden
clusters:organisation_report      form  organisation/own not organisation/hidden
clusters:programme_report         form  programme/mine not programme/hidden
labels:report                     form  label/own not label/unpublished
news:subscribe                    form
news:confirm_subscription         form  not forged
news:subscription                 form  not forged
news:unsubscribe                  form  not forged
news:contact                      form  not announcement/draft
news:report                       form  announcement/public not announcement/draft
clusters:organisation_claim       form  not organisation/hidden
clusters:invitation_accept        form  not forged
clusters:confirm_profile          form  not forged
labels:notice                     form  not forged
account_login                     guest
account_signup                    guest
account_inactive                  shown
account_reset_password            guest
account_reset_password_done       shown
account_reset_password_from_key_done  shown
account_reset_password_from_key   guest  1-set-password
mfa_login_webauthn                begun
mfa_authenticate                  begun
account_logout                    guest
account_change_password           own
account_set_password              own
account_reauthenticate            again
mfa_reauthenticate                again
mfa_reauthenticate_webauthn       again
mfa_index                         mine
mfa_activate_totp                 own
mfa_deactivate_totp               own   not none
mfa_list_webauthn                 mine
mfa_add_webauthn                  own
mfa_edit_webauthn                 own   not 1
mfa_remove_webauthn               own   not 1
mfa_view_recovery_codes           own   not none
mfa_generate_recovery_codes       own
mfa_download_recovery_codes       own   not none
clusters:account                  own
account_data             sent
clusters:account_leave_team       sent  not organisation/hidden
"""

# Pages of admin on which one takes a step with a row: in what state of it, and who may. Who only
# sees the row is refused.
STEPS = """
news.announcement  submit     draft    owner editor secretariat lead root
news.announcement  comment    public   owner editor secretariat lead root
news.announcement  send_back  review   secretariat lead root
news.announcement  approve    review   secretariat lead root
news.announcement  publish    review   secretariat lead root
news.announcement  withdraw   public   secretariat lead root
news.announcement  archive    public   secretariat lead root
news.announcement  return     public   secretariat lead root
labels.label     renew      own      secretariat lead root
labels.label     extend     own      lead root
labels.label     suspend    own      lead root
labels.label     reinstate  own      lead root
labels.label     transfer   own      lead root
labels.label     revoke     own      lead root
labels.decision  approve    waiting  lead root
labels.decision  refuse     waiting  secretariat lead root
labels.decision  annul      waiting  lead root
labels.rulechange  approve  waiting  lead root
labels.rulechange  refuse   waiting  secretariat lead root
"""

# Pages of admin about a whole list: a table of its rows, and one that is read into it.
TABLES = """
clusters.cluster       export   secretariat lead root policymaker policyother
clusters.cluster       import   secretariat lead root
clusters.cluster       process_import  secretariat lead root
clusters.organisation  export   secretariat lead root
clusters.organisation  import   secretariat lead root
clusters.organisation  process_import  secretariat lead root
clusters.programme     export   secretariat lead root policymaker policyother
clusters.programme     import   secretariat lead root
clusters.programme     process_import  secretariat lead root
labels.label           export   secretariat lead root
labels.label           import   secretariat lead root
labels.label           process_import  secretariat lead root
clusters.clustertext  export  secretariat lead root
clusters.clustertext  import  secretariat lead root
clusters.clustertext  process_import  secretariat lead root
clusters.management  export  secretariat lead root
clusters.management  import  secretariat lead root
clusters.management  process_import  secretariat lead root
clusters.membershipcount  export  secretariat lead root
clusters.membershipcount  import  secretariat lead root
clusters.membershipcount  process_import  secretariat lead root
clusters.cluster  template  secretariat lead root
clusters.clustertext  template  secretariat lead root
clusters.management  template  secretariat lead root
clusters.membershipcount  template  secretariat lead root
clusters.organisation  template  secretariat lead root
clusters.programme  template  secretariat lead root
labels.label  template  secretariat lead root
"""

# What actions write an earlier version brings back by the form only, which asks them.
RESTORED_BY_FORM = ("clusters.problemreport", "labels.label", "labels.level")

# Addresses of admin that are no list and no row.
OF_ADMIN = """
index login logout password_change password_change_done autocomplete jsi18n app_list
form_draft search set_language suggest keep_filter
news_announcement_preview news_announcement_preview_new news_announcement_paste
"""


def fields() -> dict[tuple[str, str], frozenset[str]]:
    """Who of those who see only some rows reads a field that is not public."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for line in FIELDS.replace("\\\n", " ").strip().splitlines():
        names, _bar, people = line.partition("|")
        label, *columns = names.split()
        readers = {*people.split()}
        readers |= {*TEAM} if "team" in readers else set()
        found |= {(label, column): frozenset(readers) for column in columns}
    return found


def steps() -> list[tuple[str, str, str, frozenset[str]]]:
    """Label of the model, page, state of the row, and who may."""
    lines = [line.split() for line in STEPS.strip().splitlines()]
    return [(label, page, state, frozenset(people)) for label, page, state, *people in lines]


def tables() -> list[tuple[str, str, frozenset[str]]]:
    """Label of the model, page, and who may."""
    lines = [line.split() for line in TABLES.strip().splitlines()]
    return [(label, page, frozenset(people)) for label, page, *people in lines]


def addresses() -> dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Kind, states that are there, and states that are not, by the name of the address."""
    found = {}
    for line in ADDRESSES.split("\n"):
        if words := line.split():
            name, kind, *states = words
            cut = states.index("not") if "not" in states else len(states)
            found[name] = (kind, tuple(states[:cut]), tuple(states[cut + 1 :]))
    return found
